export function checkArchitecture(sourceFolder: string): string[];
