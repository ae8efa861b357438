/** XML of S3 and SNS, read by the SDK's own parser. */
import { parseXML } from '@aws-sdk/xml-builder';

/** An element: its text, or its children by name. */
export type XmlValue = string | { readonly [name: string]: XmlValue | readonly XmlValue[] };

export const childOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

/** The text of a child; undefined if there is none. */
export const textOf = (value: unknown, name: string): string | undefined => {
  const child = childOf(value, name);
  return typeof child === 'string' ? child : undefined;
};

/** The root element of a document. @throws Error that does not quote the document */
export const parseDocument = (body: Buffer): { readonly name: string; readonly value: unknown } => {
  try {
    const [[name, value] = ['', undefined]] = Object.entries(parseXML(body.toString()) as object);
    return { name, value };
  } catch {
    throw new Error('AWS answered with a body that is not XML.');
  }
};

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
