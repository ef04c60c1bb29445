import { BlockList, isIP } from 'node:net';

const [v4, v6] = [new BlockList(), new BlockList()];
/** Not public: this host, private, shared, link-local and metadata, protocol and documentation blocks, multicast, reserved (IANA special-purpose registry), and Azure's inner host. */
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.31.196.0', 24], ['192.52.193.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['192.175.48.0', 24], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4], ['168.63.129.16', 32],
] as const) v4.addSubnet(net, bits, 'ipv4');
/** Of 2000::/3, the only public block: protocol assignments with Teredo, documentation, 6to4, AS112, segment routing. */
for (const [net, bits] of [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['2620:4f:8000::', 48], ['3fff::', 20]] as const) v6.addSubnet(net, bits, 'ipv6');

/**
 * Whether an IP address is a public one that anybody may be asked to call. IPv6 in any notation; mapped, compatible, NAT64 and other addresses that hide an IPv4 one are outside 2000::/3 or in its
 * blocks above, so never public. Text that is no address is not public.
 */
export function isPublicAddress(address: string): boolean {
  const plain = address.startsWith('[') ? address.slice(1, -1) : address;
  const family = isIP(plain);
  if (family === 4) return !v4.check(plain, 'ipv4');
  if (family !== 6 || plain.includes('%')) return false;
  // URL writes an address in its one short form: the first group then says whether it is in 2000::/3.
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  return /^[23][0-9a-f]{3}:/.test(short) && !v6.check(short, 'ipv6');
}
