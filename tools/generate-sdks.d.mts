export function driftedSdks(): string[];
export function typeErrors(): string;
