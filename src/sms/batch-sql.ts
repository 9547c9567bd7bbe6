/** Members of an operation's item in SQL (src/store/operation.ts): `b` is the batch. */
export const big = (name: string): string => `CAST(b.value ->> '${name}' AS BIGINT)`;
export const int = (name: string): string => `CAST(b.value ->> '${name}' AS INTEGER)`;
export const str = (name: string): string => `b.value ->> '${name}'`;
