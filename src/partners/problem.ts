/** A path inside a YAML file: keys and list positions. */
export type YamlPath = readonly (string | number)[];

/** One thing that is wrong in one file. */
export interface Problem {
  file: string;
  /** 1-based; 0 when the file itself is the problem. */
  line: number;
  path: YamlPath;
  /** `must be …; fix: …`, without the value. */
  message: string;
}

/** `smpp.links[0].password`. */
export function shownPath(path: YamlPath): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** `partners/e-plus/partner.yaml:23: smpp.links[0].password: must be …; fix: …` */
export function shownProblem({ file, line, path, message }: Problem): string {
  const where = line > 0 ? `${file}:${line}` : file;
  return path.length > 0 ? `${where}: ${shownPath(path)}: ${message}` : `${where}: ${message}`;
}
