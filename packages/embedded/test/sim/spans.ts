/** Times at which something was so, begun and ended by whoever looks. */
export class Spans {
  readonly #over: { readonly from: number; readonly to: number }[] = [];
  #since: number | undefined;

  note(isSo: boolean, now: number): void {
    if (isSo) this.#since ??= now;
    else if (this.#since !== undefined) {
      this.#over.push({ from: this.#since, to: now });
      this.#since = undefined;
    }
  }

  /** For how long it has been so. */
  sinceMs(now: number): number {
    return this.#since === undefined ? 0 : now - this.#since;
  }

  /** The longest time without a break within `from`..`to` in which it was so. */
  longestMs(from: number, to: number): number {
    let longest = this.#since === undefined ? 0 : to - Math.max(this.#since, from);
    for (const span of this.#over)
      longest = Math.max(longest, Math.min(span.to, to) - Math.max(span.from, from));
    return Math.max(0, longest);
  }
}
