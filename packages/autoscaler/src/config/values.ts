import { parseDuration } from "@rouse/shared";

const INT32_MAX = 2 ** 31 - 1;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WHOLE = /^[+-]?\d+$/;
const TRUE = new Set(["1", "t", "true"]);
const FALSE = new Set(["0", "f", "false"]);

/** Readers of the texts config maps and annotations hold; each gives `undefined` for what is malformed. S-4. */
export const read = {
  boolean(text: string): boolean | undefined {
    const word = text.toLowerCase();
    if (TRUE.has(word)) return true;
    return FALSE.has(word) ? false : undefined;
  },

  decimal(text: string): number | undefined {
    return DECIMAL.test(text) ? Number(text) : undefined;
  },

  /** A whole number that fits 32 bits. */
  int32(text: string): number | undefined {
    if (!WHOLE.test(text)) return undefined;
    const value = Number(text);
    return value >= -INT32_MAX - 1 && value <= INT32_MAX ? value : undefined;
  },

  durationMs(text: string): number | undefined {
    return parseDuration(text);
  },

  text(text: string): string | undefined {
    return text;
  },
} as const;
