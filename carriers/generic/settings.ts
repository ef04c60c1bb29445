import type { SettingsSchema } from '../carrier.ts';

export const settings: SettingsSchema = {
  required: ['baseUrl'],
  properties: {
    baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500 },
    secret: { type: 'string', description: 'signs our calls and its pushes: whsec_ and base64', pattern: '^whsec_[A-Za-z0-9+/=]+$', maxLength: 200, secret: true },
  },
};
