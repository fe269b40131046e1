import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Authority,
  type Clock,
  issueCertificate,
  makeAuthority,
  type Random,
  uuidV4,
  type WallMs,
} from "@rouse/shared";
import { stringify } from "yaml";

/** Made anew when it ends within this. */
const RENEW_MS = 30 * 86_400_000;
const KUBECONFIG = "kubeconfig";
const IDENTITY = "api-identity.json";

/** What the API's listener is called; it listens nowhere else. */
const HOSTS = ["localhost", "127.0.0.1"];
/** As long as the authority it comes with: clients are given that one, and trust nothing else by it. */
const VALID_DAYS = 3_650;

/** With what the API's listener is reached. */
export interface ApiAccess {
  /** The listener's certificate with the authority behind it, which is made for it alone and whose key is not kept. */
  readonly tls: Authority;
  readonly token: string;
  /** Where it listened last time, for clients that are still there. */
  readonly lastPort: number | undefined;
}

/**
 * Certificate and token of this data directory's API: the same over restarts, so that a kubeconfig stays good. Only
 * their owner may read the files: whoever has them may do everything.
 */
export async function openApiAccess(
  deps: { readonly clock: Clock; readonly random: Random },
  dataDir: string,
): Promise<ApiAccess> {
  await mkdir(dataDir, { recursive: true });
  const lastPort = portOf(await textOf(join(dataDir, KUBECONFIG)));
  const path = join(dataDir, IDENTITY);
  const known = identityOf(await textOf(path), deps.clock.wall());
  if (known !== undefined) return { ...known, lastPort };
  const tls = makeIdentity(deps.clock.wall());
  const token = `${uuidV4(deps.random)}${uuidV4(deps.random)}`.replaceAll("-", "");
  await writePrivately(path, `${JSON.stringify({ tls, token })}\n`);
  return { tls, token, lastPort };
}

/** A certificate of the API's listener. Whoever trusts all of it trusts exactly this server. */
export function makeIdentity(now: WallMs): Authority {
  return issueCertificate(makeAuthority(now, "Rouse API"), { hosts: HOSTS, now, days: VALID_DAYS });
}

/** Writes what kubectl, kn and client libraries read to reach the API. @returns its path */
export async function writeKubeconfig(
  dataDir: string,
  { port, tls, token }: { readonly port: number; readonly tls: Authority; readonly token: string },
): Promise<string> {
  const path = join(dataDir, KUBECONFIG);
  const name = "rouse";
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server: `https://127.0.0.1:${port}`,
          "certificate-authority-data": Buffer.from(tls.cert).toString("base64"),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: "default" } }],
    "current-context": name,
  };
  await writePrivately(path, stringify(config, { lineWidth: 0 }));
  return path;
}

function identityOf(text: string | undefined, now: number): Pick<ApiAccess, "tls" | "token"> | undefined {
  try {
    const value: { tls?: Partial<Authority>; token?: string } = JSON.parse(text ?? "");
    const { key, cert } = value.tls ?? {};
    if (key === undefined || cert === undefined || value.token === undefined) return undefined;
    const until = Date.parse(new X509Certificate(cert).validTo);
    return until - now < RENEW_MS ? undefined : { tls: { key, cert }, token: value.token };
  } catch {
    return undefined; // not there, or not ours: made anew
  }
}

function portOf(kubeconfig: string | undefined): number | undefined {
  const port = Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(kubeconfig ?? "")?.[1] ?? 0);
  return port > 0 ? port : undefined;
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** All or nothing, and never readable by others in between. */
async function writePrivately(path: string, text: string): Promise<void> {
  const next = `${path}.new`;
  await writeFile(next, text, { mode: 0o600 });
  await rename(next, path);
}
