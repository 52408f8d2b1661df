/** How a person calls a program of the package: the command line by the package's own name, the others as its commands. */
export const callOf = (script: string): string => (script === 'twin' ? 'alarm-twin' : `alarm-twin ${script}`);

/** The name of a program of the package, which its error lines begin with. */
export const nameOf = (script: string): string => (script === 'twin' ? 'alarm-twin' : script);
