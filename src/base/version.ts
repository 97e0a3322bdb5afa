/** Same as package.json's; a test holds them together. */
export const NIAC_VERSION = "0.1.0";
