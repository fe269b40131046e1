import { consistentSubset, type RevisionKey } from "@rouse/shared";

/** What names of buckets, of their Leases and of their Services begin with. S-130. */
export const BUCKET_PREFIX = "autoscaler-bucket";
/** Owners remembered; finding one anew costs some microseconds. S-133. */
const REMEMBERED_MAX = 4_096;

/** `autoscaler-bucket-00-of-02`, `autoscaler-bucket-01-of-02`. S-130. */
export function bucketNames(count: number): readonly string[] {
  const digits = (number: number): string => String(number).padStart(2, "0");
  return Array.from({ length: count }, (_, index) => `${BUCKET_PREFIX}-${digits(index)}-of-${digits(count)}`);
}

/** Which bucket each revision is in: the same on every replica. S-133, V-46. */
export class Buckets {
  readonly names: readonly string[];
  readonly #remembered = new Map<RevisionKey, string>();

  /** @param names at least one */
  constructor(names: readonly string[]) {
    this.names = names;
  }

  of(revision: RevisionKey): string {
    const known = this.#remembered.get(revision);
    if (known !== undefined) return known;
    const [bucket = ""] = consistentSubset(this.names, { count: 1, target: revision });
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(revision, bucket);
    return bucket;
  }
}
