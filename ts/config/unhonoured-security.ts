/** Kafka's broker keys of TLS, SASL and tokens that have no effect here, in the notation of unhonoured-keys.ts. */
export const securityLines = `
connection.failed.authentication.delay.ms int 100 0..: How long the answer to a failed authentication is held back, in ms.
connections.max.reauth.ms long 0: How long a client may stay without authenticating again, in ms; 0 for ever.
delegation.token.expiry.check.interval.ms long 3600000 1..: How often expired delegation tokens are looked for, in ms.
delegation.token.expiry.time.ms long 86400000 1..: How long a delegation token holds before it has to be renewed, in ms.
delegation.token.max.lifetime.ms long 604800000 1..: How long a delegation token can be renewed, in ms.
delegation.token.secret.key password -: The secret that delegation tokens are made with.
principal.builder.class class+ org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder: The class that tells the principal of a connection.
sasl.client.callback.handler.class class -: The class that answers callbacks of a SASL client.
sasl.enabled.mechanisms list+ GSSAPI: The SASL mechanisms that clients may use.
sasl.jaas.config password+ -: The JAAS login of SASL.
sasl.kerberos.kinit.cmd string+ /usr/bin/kinit: The kinit program.
sasl.kerberos.min.time.before.relogin long+ 60000: How long a Kerberos login lasts at least, in ms.
sasl.kerberos.principal.to.local.rules list+ DEFAULT: Rules from Kerberos principals to short names.
sasl.kerberos.service.name string+ -: The Kerberos principal of the broker.
sasl.kerberos.ticket.renew.jitter double+ 0.05: Random part of the time at which a Kerberos ticket is renewed.
sasl.kerberos.ticket.renew.window.factor double+ 0.8: Part of its life after which a Kerberos ticket is renewed.
sasl.login.callback.handler.class class -: The class that answers callbacks of a SASL login.
sasl.login.class class -: The class of the SASL login.
sasl.login.connect.timeout.ms int -: How long the login may take to connect, in ms.
sasl.login.read.timeout.ms int -: How long the login may wait for an answer, in ms.
sasl.login.refresh.buffer.seconds short+ 300: Time left of a credential at which it is refreshed at the latest, in seconds.
sasl.login.refresh.min.period.seconds short+ 60: How long a credential is kept at least before it is refreshed, in seconds.
sasl.login.refresh.window.factor double+ 0.8: Part of its life after which a credential is refreshed.
sasl.login.refresh.window.jitter double+ 0.05: Random part of the time at which a credential is refreshed.
sasl.login.retry.backoff.max.ms long 10000: The longest wait before a login is tried again, in ms.
sasl.login.retry.backoff.ms long 100: The first wait before a login is tried again, in ms.
sasl.mechanism.controller.protocol string GSSAPI: The SASL mechanism towards controllers.
sasl.mechanism.inter.broker.protocol string+ GSSAPI: The SASL mechanism between brokers.
sasl.oauthbearer.assertion.algorithm string RS256 any{ES256,RS256}: The algorithm that an OAuth assertion is signed with.
sasl.oauthbearer.assertion.claim.aud string -: The audience of an OAuth assertion.
sasl.oauthbearer.assertion.claim.exp.seconds int 300 0..86400: How long an OAuth assertion holds, in seconds.
sasl.oauthbearer.assertion.claim.iss string -: The issuer of an OAuth assertion.
sasl.oauthbearer.assertion.claim.jti.include boolean false: Whether an OAuth assertion has an id of its own.
sasl.oauthbearer.assertion.claim.nbf.seconds int 60 0..3600: How far back the start of an OAuth assertion lies, in seconds.
sasl.oauthbearer.assertion.claim.sub string -: The subject of an OAuth assertion.
sasl.oauthbearer.assertion.file string -: The file with a ready OAuth assertion.
sasl.oauthbearer.assertion.private.key.file string -: The file with the key that signs OAuth assertions.
sasl.oauthbearer.assertion.private.key.passphrase password -: The passphrase of that key.
sasl.oauthbearer.assertion.template.file string -: The file with further claims of OAuth assertions.
sasl.oauthbearer.client.credentials.client.id string -: The id of the OAuth client.
sasl.oauthbearer.client.credentials.client.secret password -: The secret of the OAuth client.
sasl.oauthbearer.clock.skew.seconds int 30: How far the clock of an OAuth issuer may be off, in seconds.
sasl.oauthbearer.expected.audience list '': The audiences of which an OAuth token must name one.
sasl.oauthbearer.expected.issuer string -: The issuer that an OAuth token must name.
sasl.oauthbearer.jwks.endpoint.refresh.ms long 3600000: How often the keys of an OAuth issuer are fetched, in ms.
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms long 10000: The longest wait before those keys are fetched again, in ms.
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms long 100: The first wait before those keys are fetched again, in ms.
sasl.oauthbearer.jwks.endpoint.url string -: Where the keys of an OAuth issuer are.
sasl.oauthbearer.jwt.retriever.class class org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever: The class that gets OAuth tokens.
sasl.oauthbearer.jwt.validator.class class org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator: The class that checks OAuth tokens.
sasl.oauthbearer.scope string -: The scope asked for in OAuth tokens.
sasl.oauthbearer.scope.claim.name string scope: The claim that has the scope of an OAuth token.
sasl.oauthbearer.sub.claim.name string sub: The claim that has the subject of an OAuth token.
sasl.oauthbearer.token.endpoint.url string -: Where OAuth tokens are got.
sasl.server.callback.handler.class class -: The class that answers callbacks of the SASL server.
security.inter.broker.protocol string PLAINTEXT {PLAINTEXT,SSL,SASL_PLAINTEXT,SASL_SSL}: The security protocol between brokers.
security.providers string -: Classes that provide security algorithms.
ssl.allow.dn.changes boolean false: Whether a new certificate may have another distinguished name.
ssl.allow.san.changes boolean false: Whether a new certificate may have other alternative names.
ssl.cipher.suites list+ '': The cipher suites of TLS; empty for all.
ssl.client.auth string+ none {required,requested,none}: Whether clients need a certificate.
ssl.enabled.protocols list+ TLSv1.2,TLSv1.3: The TLS versions that are switched on.
ssl.endpoint.identification.algorithm string+ https: How the name of a server is checked against its certificate.
ssl.engine.factory.class class+ -: The class that makes TLS engines.
ssl.key.password password+ -: The password of the private key.
ssl.keymanager.algorithm string+ SunX509: The algorithm of the key manager.
ssl.keystore.certificate.chain password+ -: The certificate chain, as PEM.
ssl.keystore.key password+ -: The private key, as PEM.
ssl.keystore.location string+ -: The file of the key store.
ssl.keystore.password password+ -: The password of the key store.
ssl.keystore.type string+ JKS: The format of the key store.
ssl.principal.mapping.rules string DEFAULT: Rules from distinguished names to short names.
ssl.protocol string+ TLSv1.3: The TLS version that is preferred.
ssl.provider string+ -: The provider of TLS.
ssl.secure.random.implementation string+ -: The source of random numbers of TLS.
ssl.trustmanager.algorithm string+ PKIX: The algorithm of the trust manager.
ssl.truststore.certificates password+ -: The trusted certificates, as PEM.
ssl.truststore.location string+ -: The file of the trust store.
ssl.truststore.password password+ -: The password of the trust store.
ssl.truststore.type string+ JKS: The format of the trust store.
`
