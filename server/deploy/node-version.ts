/** Whether a version of Node.js is the least that is needed, or later. @param least as `package.json` has it: `>=20.15` */
export function isRecent(version: string, least: string): boolean {
  const [major = 0, minor = 0] = numbersIn(version);
  const [leastMajor = 0, leastMinor = 0] = numbersIn(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

const numbersIn = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
