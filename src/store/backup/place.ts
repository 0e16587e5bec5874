/** Where a database is. */
export type Place =
  | { readonly kind: 'sqlite'; readonly file: string }
  /** The address bears a password: it is shown nowhere. */
  | { readonly kind: 'postgres'; readonly url: string };

/** What a backup holds, found by reading all of it. */
export interface Contents {
  readonly schema: number;
  readonly historyEntries: number;
  /** Hash of the last history entry: kept elsewhere, it proves that the chain was not rewritten whole. */
  readonly chainHead: string;
  readonly predictions: number;
  readonly bytes: number;
}
