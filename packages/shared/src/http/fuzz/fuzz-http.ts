import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../clock/clock.ts";
import { SeededRandom } from "../../random.ts";
import { LlhttpOracle } from "./llhttp-oracle.ts";
import { caseConnections } from "./parser-cases.ts";
import { type Reading, type ReadRequest, readOurs } from "./reading.ts";
import { mutatedConnection } from "./request-mutator.ts";

/** Bytes of which we would forward a request that Node's parser does not see, or sees otherwise. */
export interface Disagreement {
  readonly input: Buffer;
  readonly ours: readonly ReadRequest[];
  readonly theirs: readonly (ReadRequest | undefined)[];
}

/**
 * Whatever the two read differently must be something we refuse: each request we would forward, Node's parser reads as
 * the same one at the same place. What we refuse, it may read as it likes.
 */
async function disagreementOn(
  input: Buffer,
  ours: Reading,
  oracle: LlhttpOracle,
): Promise<Disagreement | undefined> {
  // It is given what we would forward and no more: an error behind that would hide what it had read.
  const theirs = await oracle.read(input.subarray(0, ours.bytes));
  return isDeepStrictEqual(ours.requests, theirs) ? undefined : { input, ours: ours.requests, theirs };
}

/** The same for one input. */
export async function findDisagreement(
  input: Buffer,
  oracle: LlhttpOracle,
): Promise<Disagreement | undefined> {
  const ours = readOurs(input);
  return ours.requests.length === 0 ? undefined : disagreementOn(input, ours, oracle);
}

export interface FuzzOptions {
  /** Stops after this long, or after `inputsMax`, whichever comes first. */
  readonly minutes: number;
  readonly inputsMax?: number;
  readonly seed: number;
}

export interface FuzzReport {
  readonly inputs: number;
  /** Inputs of which we would have forwarded at least one request. */
  readonly accepted: number;
  readonly disagreements: readonly Disagreement[];
}

/** How many disagreements are worth keeping: they have few causes. */
const DISAGREEMENTS_MAX = 20;

/** The long mode: `pnpm fuzz http --minutes N`. The same seed gives the same inputs. */
export async function fuzzHttp(clock: Clock, options: FuzzOptions): Promise<FuzzReport> {
  using oracle = new LlhttpOracle();
  const random = new SeededRandom(options.seed);
  const untilMs = clock.now() + options.minutes * 60_000;
  const inputsMax = options.inputsMax ?? Number.POSITIVE_INFINITY;
  const corpus = caseConnections();
  const disagreements: Disagreement[] = [];
  let inputs = 0;
  let accepted = 0;
  while (inputs < inputsMax && disagreements.length < DISAGREEMENTS_MAX && clock.now() < untilMs) {
    const input = mutatedConnection(random, corpus);
    inputs++;
    const ours = readOurs(input);
    if (ours.requests.length === 0) continue;
    accepted++;
    const found = await disagreementOn(input, ours, oracle);
    if (found !== undefined) disagreements.push(found);
  }
  return { inputs, accepted, disagreements };
}
