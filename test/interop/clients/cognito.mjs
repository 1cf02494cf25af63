// @aws-sdk/client-cognito-identity and @aws-sdk/credential-providers get temporary credentials. A guest
// may not use shadows. A signed-in identity may, after a backend has attached a policy to it.
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import { AttachPolicyCommand, CreatePolicyCommand, IoTClient } from '@aws-sdk/client-iot';
import { GetThingShadowCommand, IoTDataPlaneClient, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';
import { options, report, standIn, text } from './stand-in.mjs';

const clientConfig = { region: standIn.region, endpoint: standIn.cognito, maxAttempts: 1 };
const client = new CognitoIdentityClient(clientConfig);
const { IdentityId } = await client.send(new GetIdCommand({ IdentityPoolId: standIn.pool }));
report('identity', IdentityId.startsWith(`${standIn.region}:`));
const { Credentials } = await client.send(new GetCredentialsForIdentityCommand({ IdentityId }));
report('credentials', [Credentials.AccessKeyId.startsWith('ASIA'), Credentials.SessionToken !== '', Credentials.Expiration > new Date()]);
const unknown = await client.send(new GetIdCommand({ IdentityPoolId: `${standIn.region}:00000000-0000-0000-0000-000000000000` })).catch((error) => error);
report('unknown', [unknown.name, unknown.$metadata.httpStatusCode]);

const { thing: thingName, pool: identityPoolId } = standIn;
const guest = new IoTDataPlaneClient({ ...options, credentials: fromCognitoIdentityPool({ identityPoolId, clientConfig }) });
const payload = JSON.stringify({ state: { reported: { client: 'cognito', colour: 'red' } } });
const forbidden = await guest.send(new UpdateThingShadowCommand({ thingName, payload })).catch((error) => error);
report('guest', [forbidden.name, forbidden.$metadata.httpStatusCode]);

const credentials = fromCognitoIdentityPool({ identityPoolId, clientConfig, logins: { localhost: 'alice' } });
const signedIn = new IoTDataPlaneClient({ ...options, credentials });
const unattached = await signedIn.send(new UpdateThingShadowCommand({ thingName, payload })).catch((error) => error);
report('no policy', [unattached.name, unattached.$metadata.httpStatusCode]);
const backend = new IoTClient(options);
const policyName = `${thingName}-shadows`;
const policyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{
    Effect: 'Allow',
    Action: ['iot:GetThingShadow', 'iot:UpdateThingShadow'],
    Resource: `arn:aws:iot:${standIn.region}:*:thing/${thingName}`,
  }],
});
await backend.send(new CreatePolicyCommand({ policyName, policyDocument }));
await backend.send(new AttachPolicyCommand({ policyName, target: (await credentials()).identityId }));
await signedIn.send(new UpdateThingShadowCommand({ thingName, payload }));
report('got', JSON.parse(text((await signedIn.send(new GetThingShadowCommand({ thingName }))).payload)).state);
