import { code128 } from './code128.ts';
import type { Label, WaybillRequest } from './carrier.ts';

/** 100 × 150 mm in points, the size of a thermal label. */
const [WIDTH, HEIGHT] = [283, 425];
const PER_LINE = 22;

/** Text as UTF-16BE in hexadecimal, which the predefined CMap `UniGB-UCS2-H` reads; what lies beyond the basic plane becomes a box. */
const hex = (text: string): string => [...text].map((c) => { const code = c.codePointAt(0) ?? 0; return (code > 0xffff ? 0x25a1 : code).toString(16).padStart(4, '0'); }).join('');

function wrap(text: string): string[] {
  const chars = [...text];
  return Array.from({ length: Math.max(1, Math.ceil(chars.length / PER_LINE)) }, (_, i) => chars.slice(i * PER_LINE, (i + 1) * PER_LINE).join('')).slice(0, 4);
}

/**
 * A label of our own, where the carrier draws none: its number as Code 128, receiver and sender. PDF 1.4 of one page; Chinese by the viewer's own Song typeface (`STSong-Light`,
 * ISO 32000-1, 9.7.5.2), so that no font has to be shipped. The same waybill gives the same bytes.
 */
export function drawLabel(carrierName: string, waybillNo: string, request: Pick<WaybillRequest, 'from' | 'to' | 'cashOnDelivery' | 'service' | 'requestId'>): Label {
  const { to, from } = request;
  const content: string[] = [];
  const write = (x: number, y: number, size: number, text: string): void => { content.push(`BT /F1 ${size} Tf ${x} ${y} Td <${hex(text)}> Tj ET`); };
  write(14, 396, 16, `${carrierName}  ${request.service}`);
  const bars = code128(waybillNo);
  const module = Math.min(1.6, (WIDTH - 40) / bars.reduce((a, b) => a + b, 0));
  let x = 20;
  bars.forEach((units, i) => {
    if (i % 2 === 0) content.push(`${x.toFixed(2)} 320 ${(units * module).toFixed(2)} 60 re f`);
    x += units * module;
  });
  write(20, 304, 12, waybillNo);
  const lines = [`收 ${to.name}  ${to.phone}`, ...wrap([to.province, to.city, to.district, to.street, to.postcode].filter(Boolean).join(' '))];
  lines.forEach((line, i) => { write(14, 276 - i * 18, 12, line); });
  wrap(`寄 ${[from.name, from.province, from.city].filter(Boolean).join(' ')}`).forEach((line, i) => { write(14, 176 - i * 14, 9, line); });
  if (request.cashOnDelivery) write(14, 120, 14, `代收 ${request.cashOnDelivery.currency} ${(request.cashOnDelivery.amount / 100).toFixed(2)}`);
  write(14, 16, 8, request.requestId);
  return { type: 'application/pdf', bytes: pdf(content.join('\n')) };
}

function pdf(content: string): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>`,
    `<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>',
    '<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 7 0 R >>',
    '<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>',
  ];
  let out = '%PDF-1.4\n';
  const offsets = objects.map((body, i) => {
    const at = out.length;
    out += `${i + 1} 0 obj\n${body}\nendobj\n`;
    return at;
  });
  const start = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}
