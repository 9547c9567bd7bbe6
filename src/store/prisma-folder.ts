import { fileURLToPath } from 'node:url';

/** The repository's `prisma/` folder; it lies beside `src/` and `dist/` alike. */
export const prismaFolder = fileURLToPath(new URL('../../prisma/', import.meta.url));
