/** Byte classes of HTTP/1.1, one look-up each. RFC 9110 §5.5, §5.6.2; RFC 9112 §3. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const DQUOTE = 0x22;
export const COMMA = 0x2c;

const ALPHA_DIGIT = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** 1 for bytes of a token. */
export const TOKEN = classOf(`${ALPHA_DIGIT}!#$%&'*+-.^_\`|~`);

/** 1 for bytes of a field value, reason phrase included: visible ASCII, SP, HTAB and obs-text. */
export const FIELD_VALUE = classWhere((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f));

/**
 * Bytes of a request target. Wider than RFC 3986, as applications see such bytes today, but without controls,
 * space and `#`: a fragment is never sent, and servers differ in what they do with one. 2 for bytes that are sent on
 * percent-encoded: raw non-ASCII ones, which some refuse.
 */
export const TARGET = classWhere((byte) => byte > SP && byte !== 0x7f && byte !== 0x23).map((is, byte) =>
  byte >= 0x80 ? 2 * is : is,
);

/** 1 for bytes of `uri-host [ ":" port ]`. RFC 3986 §3.2.2; no userinfo. */
export const AUTHORITY = classOf(`${ALPHA_DIGIT}-._~%!$&'()*+,;=[]:`);

/** Value of a hexadecimal digit, 255 for other bytes. */
export const HEX = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  HEX[text.charCodeAt(0)] = digit;
  HEX[text.toUpperCase().charCodeAt(0)] = digit;
}

/** ASCII letters in lower case, other bytes as they are. */
export const LOWER = new Uint8Array(256).map((_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte,
);

/** Whether `bytes[from, to)` is `text`, ASCII letters compared without case. */
export function isText(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (LOWER[bytes[from + i] ?? 0] !== LOWER[text.charCodeAt(i) & 0xff]) return false;
  }
  return true;
}

/** Whether both are the same name, ASCII letters compared without case. */
export function isSameName(a: string, b: string): boolean {
  if (a === b) return true;
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/** Whether the text may stand in a field value as it is. Guards heads against what callers put into them. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || FIELD_VALUE[code] === 0) return false;
  }
  return true;
}

/** Whether the text is a token. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || TOKEN[code] === 0) return false;
  }
  return text.length > 0;
}

function classOf(characters: string): Uint8Array {
  return classWhere((byte) => characters.includes(String.fromCharCode(byte)));
}

function classWhere(holds: (byte: number) => boolean): Uint8Array {
  return new Uint8Array(256).map((_, byte) => (holds(byte) ? 1 : 0));
}
