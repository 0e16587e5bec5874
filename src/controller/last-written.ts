import { MINUTE } from '../lib/duration.ts';

/** A watch shows a write within this time, or it is too old to decide by in any case. */
const SHOWN_WITHIN_MS = MINUTE;

interface Written<S> {
  readonly status: S;
  readonly atMs: number;
  isShown: boolean;
}

/**
 * Statuses as last written, by key. Each stands for the object until the watch shows it, or ought to have: a watch that
 * lags must not be taken for somebody who changed it back, nor the reverse.
 */
export class LastWritten<S> {
  readonly #written = new Map<string, Written<S>>();
  readonly #isSame: (a: S, b: S) => boolean;

  constructor(isSame: (a: S, b: S) => boolean) {
    this.#isSame = isSame;
  }

  get(key: string): { readonly status: S; readonly atMs: number } | undefined {
    return this.#written.get(key);
  }

  /** The status as it is, given what the watch shows; times are by the clock that never jumps. */
  present(key: string, shown: S | undefined, monotonicMs: number): S | undefined {
    const last = this.#written.get(key);
    if (last === undefined) return shown;
    if (shown !== undefined && this.#isSame(shown, last.status)) last.isShown = true;
    return last.isShown || monotonicMs - last.atMs >= SHOWN_WITHIN_MS ? shown : last.status;
  }

  put(key: string, status: S, monotonicMs: number): void {
    this.#written.set(key, { status, atMs: monotonicMs, isShown: false });
  }

  forget(key: string): void {
    this.#written.delete(key);
  }
}
