/** One thing that is generated from the sources and committed. `npm run verify` fails when it is not up to date. */
export interface Generator {
  readonly name: string;
  /** Folder (relative to the repository) and file-name pattern that this generator alone fills: strays are errors. */
  readonly owns: readonly { readonly folder: string; readonly files: RegExp }[];
  /** Path relative to the repository -> content. */
  generate(): Promise<ReadonlyMap<string, string>>;
}
