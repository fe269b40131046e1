import { createHash } from "node:crypto";

/** Longest name of an object that becomes a DNS label. */
const NAME_LENGTH_MAX = 63;
const HASH_LENGTH = 32;
/** Up to this suffix length the hash stands between parent and suffix. */
const SUFFIX_LENGTH_MAX = 30;

/**
 * Name of an object made for `parent`: the two joined, or shortened around an MD5 of what was cut. C-5, K-20.
 * The hash only keeps names apart; nothing trusts it.
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= NAME_LENGTH_MAX) return parent + suffix;
  if (suffix.length <= SUFFIX_LENGTH_MAX) {
    return parent.slice(0, NAME_LENGTH_MAX - HASH_LENGTH - suffix.length) + md5(parent) + suffix;
  }
  const hashed = parent.slice(0, NAME_LENGTH_MAX - HASH_LENGTH) + md5(parent + suffix);
  const padded = hashed + suffix.slice(0, Math.max(0, NAME_LENGTH_MAX - hashed.length));
  return padded.replace(/[^a-zA-Z0-9]+$/, "");
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
