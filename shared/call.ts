/** How a person calls a program from a checkout. @param script as in `npm run <script>` */
export const callOf = (script: string): string => `npm run ${script} --`;

/** The name of a program, which its error lines begin with. @param script as in `npm run <script>` */
export const nameOf = (script: string): string => script;
