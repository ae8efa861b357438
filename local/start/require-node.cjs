// Runs under whatever Node there is, before anything that needs a newer one.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `This needs Node 22.13 or newer; here is ${process.versions.node}. On Linux, npm ci brings Node 24 along.`,
  );
  process.exit(1);
}
