import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { USER } from "./image-tree.ts";

/** Mounts of its own, as a container has them: the root read-only, `/proc` and `/dev` of the system, then another user. */
const ENTER = `
set -e
mount --bind "$TREE" "$TREE"
for name in $MOUNTS; do mount --bind "$SOURCES$name" "$TREE$name"; done
mount -t proc proc "$TREE/proc"
mount --rbind /dev "$TREE/dev"
mount -o remount,bind,ro "$TREE"
cd /
exec chroot --userspec="$RUN_AS:$RUN_AS" "$TREE" "$@"
`;

/** Whether this machine lets us mount, and become somebody else. */
export function canContain(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const asked = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]);
  return asked.status === 0;
}

export interface ContainedOptions {
  /** The files of an image. */
  readonly tree: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A number nobody has to know; the image's own user unless told. */
  readonly user?: number;
  /** Folders to be seen at a path of the tree that exists: path in the tree by folder on the host. */
  readonly mounts?: { readonly sources: string; readonly names: readonly string[] };
}

/** A program of an image's file tree, as a container would run it, until it is disposed. */
export class ContainedProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly exited: Promise<number | null>;
  #output = "";

  constructor({ tree, command, environment, user = USER, mounts }: ContainedOptions) {
    this.#child = spawn("unshare", ["--mount", "--pid", "--fork", "sh", "-c", ENTER, "sh", ...command], {
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        TREE: tree,
        RUN_AS: String(user),
        SOURCES: mounts?.sources ?? "",
        MOUNTS: mounts?.names.join(" ") ?? "",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own: becoming another user forgets whose child one is
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.exited = once(this.#child, "close").then(([code]) => code);
  }

  /** All it has written so far. */
  get output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode } = this.#child;
    if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGKILL");
    await this.exited;
  }
}

/** Status and body of one GET, the answer to which says who asked; `undefined` while nothing listens. */
export function ask(
  at: { readonly ip: string; readonly port: number; readonly path?: string },
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  return new Promise((resolve) => {
    const { ip: host, port, path = "/" } = at;
    const sent = request({ host, port, path, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", () => resolve(undefined));
    sent.end();
  });
}
