import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const ENTRY_BYTES = 46;

/** One file of a ZIP archive, by its name in it. Enough of the format for archives below 4 GiB without passwords. */
export function unzip(archive: Buffer, wanted: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error("no ZIP archive");
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      archive.readUInt16LE(at + field),
    );
    const nameStart = at + ENTRY_BYTES;
    const nameEnd = nameStart + (nameBytes ?? 0);
    if (archive.toString("utf8", nameStart, nameEnd) === wanted) return content(archive, at);
    at = nameEnd + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  throw new Error(`no ${wanted} in the archive`);
}

function content(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10);
  const bytes = archive.readUInt32LE(entry + 20);
  const header = archive.readUInt32LE(entry + 42);
  const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  const data = archive.subarray(start, start + bytes);
  return method === 0 ? data : inflateRawSync(data);
}
