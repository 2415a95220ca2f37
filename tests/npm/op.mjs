// An OpenID Connect provider behind TLS on the loopback address, for the tests: node op.mjs '<json>'.
// The argument: port (0: any), cert and key (PEM files), kid and audience of access tokens, client (its public JWK).
// Prints one line of JSON when it listens; ends when its standard input does.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import * as jose from 'jose';
import Provider from 'oidc-provider';

const { port, cert, key, kid, audience, client } = JSON.parse(process.argv[2]);
const signing = await jose.generateKeyPair('ES256', { extractable: true });
const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
await new Promise((listening) => server.listen(port, '127.0.0.1', listening));
const issuer = `https://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'robot', token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'],
    response_types: [], redirect_uris: [], jwks: { keys: [client] }, scope: 'system/DocumentReference.rs',
  }],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: ['system/DocumentReference.rs'],
  enabledJWA: { clientAuthSigningAlgValues: ['ES384'] },
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'system/DocumentReference.rs', audience, accessTokenFormat: 'jwt', accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  jwks: { keys: [{ ...(await jose.exportJWK(signing.privateKey)), alg: 'ES256', use: 'sig', kid }] },
});

server.on('request', provider.callback());
console.log(JSON.stringify({ issuer, port: server.address().port }));
process.stdin.on('end', () => process.exit(0)).resume();
