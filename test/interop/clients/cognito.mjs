// @aws-sdk/client-cognito-identity and @aws-sdk/credential-providers get temporary credentials. The
// shadow client of the SDK uses them.
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';
import { GetThingShadowCommand, IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { options, report, standIn, text } from './stand-in.mjs';

const clientConfig = { region: standIn.region, endpoint: standIn.cognito, maxAttempts: 1 };
const client = new CognitoIdentityClient(clientConfig);
const { IdentityId } = await client.send(new GetIdCommand({ IdentityPoolId: standIn.pool }));
report('identity', IdentityId.startsWith(`${standIn.region}:`));
const { Credentials } = await client.send(new GetCredentialsForIdentityCommand({ IdentityId }));
report('credentials', [Credentials.AccessKeyId.startsWith('ASIA'), Credentials.SessionToken !== '', Credentials.Expiration > new Date()]);
const unknown = await client.send(new GetIdCommand({ IdentityPoolId: `${standIn.region}:00000000-0000-0000-0000-000000000000` })).catch((error) => error);
report('unknown', [unknown.name, unknown.$metadata.httpStatusCode]);

const credentials = fromCognitoIdentityPool({ identityPoolId: standIn.pool, clientConfig });
const shadows = new IoTDataPlaneClient({ ...options, credentials });
const thingName = standIn.thing;
await shadows.send(new UpdateThingShadowCommand({ thingName, payload: JSON.stringify({ state: { reported: { client: 'cognito', colour: 'red' } } }) }));
report('got', JSON.parse(text((await shadows.send(new GetThingShadowCommand({ thingName }))).payload)).state);
