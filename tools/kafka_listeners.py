"""The listeners of a broker of `tools/kafka up --secure`: TLS, SASL and what tests of them need.

    name           distance from the broker's port
    SSL            +100   TLS, certificate of `localhost` and 127.0.0.1
    MUTUAL         +110   TLS that wants a client's certificate
    ELSEWHERE      +120   TLS, certificate of another host: `elsewhere.example`
    SASL_PLAINTEXT +130   PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER (unsecured tokens)
    SASL_SSL       +140   the same over TLS
    REAUTH         +150   the same over TLS; after 4 s a connection must authenticate again (KIP-368)
    PROXIED        +160   plain; clients are sent to +170, where a test puts a proxy
    PROXIED_SSL    +180   TLS; clients are sent to +190

The user is `weir`, the password `weir-secret`. Certificates lie in the cluster's folder, `tls/`: `ca.pem`, `client.pem` and
`client.key` (its password is `key-secret`), and `stranger.pem`, a CA that nobody here knows.
"""

import subprocess

USER, PASSWORD, KEY_PASSWORD = "weir", "weir-secret", "key-secret"
SASL_MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

PROXY_DISTANCE = 10  # from a listener to the proxy in front of it

# name: (distance, protocol, extra properties of the listener)
LISTENERS = {
    "SSL": (100, "SSL", {}),
    "MUTUAL": (110, "SSL", {"ssl.client.auth": "required"}),
    "ELSEWHERE": (120, "SSL", {"ssl.keystore.location": "elsewhere"}),
    "SASL_PLAINTEXT": (130, "SASL_PLAINTEXT", {}),
    "SASL_SSL": (140, "SASL_SSL", {}),
    "REAUTH": (150, "SASL_SSL", {"connections.max.reauth.ms": "4000"}),
    "PROXIED": (160, "PLAINTEXT", {}),
    "PROXIED_SSL": (180, "SSL", {}),
}
LOGIN_MODULES = {
    "PLAIN": f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "OAUTHBEARER": "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
                   'unsecuredLoginStringClaim_sub="broker";',
}


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/CN=weir test {name}",
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")


def make_certificate(folder, name, names, password=None):
    """`<name>.pem` and `<name>.key`, signed by `ca`; both together in `<name>.store`, as a broker wants them."""
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "request", "pem"))
    lock = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    openssl("req", "-new", "-newkey", "rsa:2048", *lock, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    (folder / f"{name}.names").write_text(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", request, "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial",
            "-days", "3650", "-extfile", folder / f"{name}.names", "-out", certificate)
    (folder / f"{name}.store").write_text(key.read_text() + certificate.read_text())


def make_certificates(folder):
    if (folder / "client.store").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    make_authority(folder, "ca")
    make_authority(folder, "stranger")
    make_certificate(folder, "broker", "DNS:localhost,IP:127.0.0.1")
    make_certificate(folder, "elsewhere", "DNS:elsewhere.example")
    make_certificate(folder, "client", "DNS:client.example", KEY_PASSWORD)


def addresses(port):
    """{name: address for clients} of the broker whose first port this is. A name where names are to be checked."""
    return {name: f"localhost:{port + distance + (PROXY_DISTANCE if name.startswith('PROXIED') else 0)}"
            for name, (distance, _, _) in LISTENERS.items()}


def properties(port, tls):
    """(listeners, advertised, protocol map, further lines) for a server.properties."""
    names = addresses(port)
    lines = [f"ssl.keystore.type=PEM\nssl.keystore.location={tls}/broker.store",
             f"ssl.truststore.type=PEM\nssl.truststore.location={tls}/ca.pem",
             "sasl.enabled.mechanisms=" + ",".join(SASL_MECHANISMS)]
    for name, (_, protocol, extra) in LISTENERS.items():
        prefix = f"listener.name.{name.lower()}"
        for key, value in extra.items():
            if key == "ssl.keystore.location":
                lines.append(f"{prefix}.ssl.keystore.type=PEM")
                value = f"{tls}/{value}.store"
            lines.append(f"{prefix}.{key}={value}")
        if protocol.startswith("SASL"):
            lines += [f"{prefix}.{mechanism.lower()}.sasl.jaas.config={module}"
                      for mechanism, module in LOGIN_MODULES.items()]
    listeners = [f"{name}://127.0.0.1:{port + distance}" for name, (distance, _, _) in LISTENERS.items()]
    advertised = [f"{name}://{address}" for name, address in names.items()]
    protocols = [f"{name}:{protocol}" for name, (_, protocol, _) in LISTENERS.items()]
    return listeners, advertised, protocols, "\n".join(lines)


def scram_users():
    """Words for the storage tool: credentials are in the log before the first start."""
    return [word for mechanism in SASL_MECHANISMS if mechanism.startswith("SCRAM")
            for word in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")]
