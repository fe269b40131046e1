import { type Endpoints, SeededRandom } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { shareOf } from "../src/balance/share.ts";
import { activatorPlace, podAddresses } from "../src/watch/endpoints-view.ts";

type Listed = Pick<Endpoints, "subsets">;

/** Ours: which pods an activator takes, of what the two Endpoints objects say. */
function ours(pods: Listed, activators: Listed, podIp: string): readonly string[] {
  const { ready } = podAddresses(pods, "http");
  const sorted = [...ready].sort((a, b) => (a < b ? -1 : 1));
  return shareOf(sorted, activatorPlace(activators, { portName: "http", podIp }) ?? { kind: "unknown" });
}

/**
 * The reference's, told anew from the contract alone: strings compared by bytes, a binary search for one's
 * own, slices by arithmetic on indexes.
 */
function reference(pods: Listed, activators: Listed, podIp: string): readonly string[] {
  const addresses = (of: Listed): { ip: string; port: number }[] =>
    (of.subsets ?? []).flatMap((subset) =>
      (subset.ports ?? [])
        .filter((port) => port.name === "http")
        .flatMap(({ port }) => (subset.addresses ?? []).map(({ ip }) => ({ ip, port }))),
    );
  const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const trackers = addresses(pods)
    .map(({ ip, port }) => `${ip}:${port}`)
    .sort(byBytes);
  const peers = [...new Set(addresses(activators).map(({ ip }) => ip))].sort(byBytes);
  let low = 0;
  for (let high = peers.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (byBytes(peers[middle] ?? "", podIp) < 0) low = middle + 1;
    else high = middle;
  }
  const self = peers[low] === podIp ? low : -1;
  if (self === -1 || trackers.length <= 1) return trackers;
  if (peers.length > trackers.length) return [trackers[self % trackers.length] ?? ""];
  const size = Math.floor(trackers.length / peers.length);
  const remnants = trackers.length % peers.length;
  const slice = trackers.slice(self * size, self * size + size);
  const tail = trackers.slice(trackers.length - remnants);
  return self < remnants ? [...slice, tail[self] ?? ""] : slice;
}

const listed = (ips: readonly string[]): Listed => ({
  subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ name: "http", port: 8012 }] }],
});

function addresses(random: SeededRandom, count: number): readonly string[] {
  const found = new Set<string>();
  while (found.size < count)
    found.add(`10.${random.integer(0, 3)}.${random.integer(0, 255)}.${random.integer(1, 254)}`);
  return [...found];
}

describe("A-75, A-77, A-78: a fleet of the reference's activators and ours, half way through an upgrade", () => {
  test.each(Array.from({ length: 200 }, (_, seed) => seed))(
    "takes each pod once, and each member what the other kind would take: seed %i",
    (seed) => {
      const random = new SeededRandom(seed);
      const ips = addresses(random, random.integer(1, 9));
      const pods = listed(addresses(random, random.integer(ips.length, 60)));
      const activators = listed(ips);
      const taken = ips.flatMap((ip) => {
        const [mine, theirs] = [ours(pods, activators, ip), reference(pods, activators, ip)];
        expect(mine).toEqual(theirs);
        return random.chance(0.5) ? mine : theirs;
      });
      expect(taken).toHaveLength(new Set(taken).size);
      expect(new Set(taken).size).toBe(pods.subsets?.[0]?.addresses?.length);
    },
  );

  test("with fewer pods than activators, or none, or when one is not listed, both still say the same", () => {
    const random = new SeededRandom(0);
    for (let count = 0; count <= 5; count++) {
      const ips = addresses(random, 7);
      const [pods, activators] = [listed(addresses(random, count)), listed(ips)];
      for (const ip of [...ips, "10.9.9.9"]) {
        expect(ours(pods, activators, ip)).toEqual(reference(pods, activators, ip));
      }
    }
  });
});
