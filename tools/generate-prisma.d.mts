export function assembleSchema(provider: 'sqlite' | 'postgresql'): string;
