/** A requirement's number as the contracts write it: `Q-42`, `CV-7`. */
export type RequirementNumber = string;

const LETTERS = "CV|CI|Q|E|A|S|K|C|P|V|W|I|D";
const RANGE_END = `\\s?(?:…|\\.{2,3}|–|\\bto\\b)\\s?(?:(?:${LETTERS})-)?(\\d+)`;
const NUMBER = new RegExp(`\\b(${LETTERS})-(\\d+)(?:${RANGE_END})?(?![\\w])`, "g");
/** A range that names more than this is a slip of the pen. */
const RANGE_MAX = 200;

/** Every number a text names, in its order: single ones, lists, and ranges `Q-42…Q-45`, `Q-42..45`, `Q-42 to Q-45`. */
export function numbersIn(text: string): readonly RequirementNumber[] {
  const found: RequirementNumber[] = [];
  for (const [, letters = "", first = "", last = first] of text.matchAll(NUMBER)) {
    const from = Number(first);
    const to = Math.min(Number(last), from + RANGE_MAX);
    for (let number = from; number <= Math.max(from, to); number++) found.push(`${letters}-${number}`);
  }
  return found;
}

/** Orders by letters as first met in a contract, then by number. */
export function byNumber(a: RequirementNumber, b: RequirementNumber): number {
  const [lettersA = "", numberA = ""] = a.split("-");
  const [lettersB = "", numberB = ""] = b.split("-");
  return lettersA === lettersB ? Number(numberA) - Number(numberB) : lettersA < lettersB ? -1 : 1;
}
