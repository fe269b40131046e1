import { BlockList, isIP } from "node:net";
import { ConfigError } from "./config-error.ts";

/** Whether an address may ask for a drain. */
export type AdminCallers = (ip: string) => boolean;

const NODE = "node";

/**
 * Who may ask for a drain, where not anyone on the pod's network is to (E-12): addresses, networks `ip/bits`, and `node`
 * for the addresses the pod knows of its node and itself. Empty: anyone, as in the reference; many networks let a
 * kubelet come from an address that no pod is told.
 * @throws ConfigError `fatal` for an item that is none of these
 */
export function parseAdminCallers(text: string, own: readonly string[]): AdminCallers {
  const items = text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  if (items.length === 0) return () => true;
  const listed = new BlockList();
  for (const item of items.flatMap((one) => (one === NODE ? own : [one]))) add(listed, item);
  return (ip) => listed.check(ip, familyOf(ip));
}

function add(listed: BlockList, item: string): void {
  const [, ip = "", bits = ""] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
  const bitsMax = isIP(ip) === 6 ? 128 : 32;
  if (isIP(ip) === 0 || Number(bits) > bitsMax) {
    throw new ConfigError(
      "fatal",
      `ROUSE_ADMIN_CALLERS: ${item} is no address, no network and not "${NODE}"`,
    );
  }
  if (bits === "") listed.addAddress(ip, familyOf(ip));
  else listed.addSubnet(ip, Number(bits), familyOf(ip));
}

function familyOf(ip: string): "ipv4" | "ipv6" {
  return isIP(ip) === 6 ? "ipv6" : "ipv4";
}
