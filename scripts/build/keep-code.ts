/**
 * `node --import keep-code.ts MAIN OUT IP`: runs a program that starts from a cache until it listens, and writes what V8
 * has compiled of it by then.
 */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import vm from "node:vm";

const [, , out = "", ip = ""] = process.argv;
/** The last listeners a sidecar opens. */
const PORTS = [8022, 9090];
const RETRY_MS = 5;

let kept: vm.Script | undefined;
vm.Script = class extends vm.Script {
  constructor(...given: ConstructorParameters<typeof vm.Script>) {
    super(...given);
    kept = this;
  }
};

async function save(): Promise<void> {
  for (const port of PORTS) while (!(await isOpen(port)));
  if (kept === undefined) throw new Error("nothing was run from a script");
  writeFileSync(out, kept.createCachedData());
  process.exit(0);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), RETRY_MS));
  });
}

void save();
