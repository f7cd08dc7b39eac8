/** Something the user can put right: the demo prints the message alone and ends with exit code 2. */
export class UsageError extends Error {}
