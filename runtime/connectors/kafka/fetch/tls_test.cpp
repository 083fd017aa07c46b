#include "runtime/connectors/kafka/fetch/tls.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

namespace weir::runtime::kafka::fetch {
namespace {

// A certificate with its key, made for one test.
struct Identity {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ~Identity() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
  Identity(const Identity&) = delete;

  // Signed by itself if `issuer` is null. `names`: "DNS:a,IP:127.0.0.1".
  Identity(const char* name, const char* names, const Identity* issuer, long valid_s = 3600) {
    static long serial = 1;
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    const Identity& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate));
    add(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (names[0] != '\0') add(NID_subject_alt_name, names);
    X509_sign(certificate, signer.key, EVP_sha256());
  }
  std::string pem() const {
    return text([this](BIO* to) { PEM_write_bio_X509(to, certificate); });
  }
  std::string key_pem(std::string password) const {
    return text([&](BIO* to) {
      PEM_write_bio_PrivateKey(to, key, EVP_aes_128_cbc(),
                               reinterpret_cast<unsigned char*>(password.data()),
                               int(password.size()), nullptr, nullptr);
    });
  }

 private:
  void add(int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string text(const std::function<void(BIO*)>& write) {
    BIO* to = BIO_new(BIO_s_mem());
    write(to);
    char* bytes = nullptr;
    long size = BIO_get_mem_data(to, &bytes);
    std::string made(bytes, size_t(size));
    BIO_free(to);
    return made;
  }
};

const Identity& authority() {
  static const Identity made("authority", "", nullptr);
  return made;
}
const Identity& stranger() {
  static const Identity made("stranger", "", nullptr);
  return made;
}
const Identity& broker() {
  static const Identity made("broker", "DNS:broker.example,IP:127.0.0.1", &authority());
  return made;
}

// A socket that does not block; at its other end, on a thread, whatever `serve` does.
class Peer {
 public:
  explicit Peer(std::function<void(int)> serve) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) == 0);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    thread_ = std::thread([this, serve = std::move(serve)] {
      // Only here: our own side must not need it.
      sigset_t pipe;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      serve(ends_[1]);
      ::close(ends_[1]);
    });
  }
  ~Peer() {
    ::close(ends_[0]);
    thread_.join();
  }
  int socket() const { return ends_[0]; }

 private:
  int ends_[2];
  std::thread thread_;
};

// A broker that sends back what it gets.
std::function<void(int)> echo(const Identity& identity, bool wants_certificate = false) {
  return [&identity, wants_certificate](int socket) {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, identity.certificate);
    SSL_CTX_use_PrivateKey(context, identity.key);
    if (wants_certificate) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority().certificate);
    }
    SSL* session = SSL_new(context);
    SSL_set_fd(session, socket);
    char bytes[4096];
    int size;
    if (SSL_accept(session) == 1) {
      while ((size = SSL_read(session, bytes, sizeof bytes)) > 0) SSL_write(session, bytes, size);
    }
    SSL_free(session);
    SSL_CTX_free(context);
  };
}

TlsOptions trusting(const Identity& whom) {
  TlsOptions options;
  options.ca_pem = whom.pem();
  return options;
}

bool wait(int socket, Step step) {
  if (step != Step::WantsRead && step != Step::WantsWrite) return false;
  pollfd waited{socket, short(step == Step::WantsRead ? POLLIN : POLLOUT), 0};
  return ::poll(&waited, 1, 10'000) == 1;
}

Step shake_hands(TlsSession& session, const Peer& peer) {
  Step step;
  do step = session.shake_hands();
  while (wait(peer.socket(), step));
  return step;
}

std::string echoed(TlsSession& session, const Peer& peer, const std::string& sent) {
  std::string got;
  size_t written = 0;
  Step step = Step::Done;
  while (got.size() < sent.size()) {
    char bytes[10'000];
    size_t moved = 0;
    if (written < sent.size()) {
      step = session.write(sent.data() + written, std::min<size_t>(sent.size() - written, 5000),
                           &moved);
      if (step == Step::Done) written += moved;
    }
    step = session.read(bytes, sizeof bytes, &moved);
    if (step == Step::Done) {
      got.append(bytes, moved);
    } else if (written == sent.size() && !wait(peer.socket(), step)) {
      return got;
    }
  }
  return got;
}

// The step with which a handshake ends, and one exchange behind it: TLS 1.3 says there that a
// client's certificate is refused.
Step meet(const TlsOptions& options, const std::string& host, std::function<void(int)> serve,
          std::string* why = nullptr, std::optional<Exit>* refusal = nullptr) {
  auto context = TlsContext::make(options);
  REQUIRE(context.ok());
  Peer peer(std::move(serve));
  TlsSession session(**context, peer.socket(), host);
  Step step = shake_hands(session, peer);
  if (step == Step::Done) {
    size_t moved = 0;
    char byte;
    step = session.write("x", 1, &moved);
    do step = session.read(&byte, 1, &moved);
    while (wait(peer.socket(), step));
  }
  if (why != nullptr) *why = session.why();
  if (refusal != nullptr) *refusal = session.refusal();
  return step;
}

}  // namespace

TEST_CASE("TLS: bytes go both ways, names and numbers are checked") {
  auto context = TlsContext::make(trusting(authority()));
  REQUIRE(context.ok());
  for (const char* host : {"broker.example", "127.0.0.1"}) {
    Peer peer(echo(broker()));
    TlsSession session(**context, peer.socket(), host);
    CHECK(shake_hands(session, peer) == Step::Done);
    std::string sent;
    for (int i = 0; i < 100'000; i++) sent += char('a' + i % 23);
    CHECK(echoed(session, peer, sent) == sent);
  }
}

TEST_CASE("TLS: a broker that is not who it should be") {
  std::string why;
  std::optional<Exit> refusal;
  for (const char* host : {"other.example", "127.0.0.2", "example"}) {
    CHECK(meet(trusting(authority()), host, echo(broker()), &why, &refusal) == Step::Failed);
    CHECK(why.find("is not for `" + std::string(host) + "`") != std::string::npos);
    CHECK(refusal == Exit::Configuration);
  }
  CHECK(meet(trusting(stranger()), "broker.example", echo(broker()), &why, &refusal) ==
        Step::Failed);
  CHECK(why.find("can't be trusted") != std::string::npos);
  CHECK(why.find("ssl.ca.location") != std::string::npos);
  CHECK(refusal == Exit::Configuration);
  static const Identity old("broker", "DNS:broker.example", &authority(), -60);
  CHECK(meet(trusting(authority()), "broker.example", echo(old), &why, &refusal) == Step::Failed);
  CHECK(why.find("expired") != std::string::npos);
  CHECK(refusal == Exit::Configuration);
}

TEST_CASE("TLS: checks that are switched off") {
  TlsOptions any_host = trusting(authority());
  any_host.checks_host = false;
  CHECK(meet(any_host, "other.example", echo(broker())) == Step::Done);
  CHECK(meet(any_host, "other.example", echo(stranger())) == Step::Failed);
  TlsOptions anybody = trusting(stranger());
  anybody.verifies = false;
  CHECK(meet(anybody, "other.example", echo(broker())) == Step::Done);
}

TEST_CASE("TLS: a certificate of ours") {
  const Identity client("client", "", &authority());
  const Identity unknown("client", "", &stranger());
  std::string why;
  std::optional<Exit> refusal;
  TlsOptions options = trusting(authority());
  CHECK(meet(options, "broker.example", echo(broker(), true), &why, &refusal) == Step::Failed);
  CHECK(refusal == Exit::Permission);
  options.certificate_pem = client.pem();
  options.key_pem = client.key_pem("open-sesame");
  options.key_password = "open-sesame";
  CHECK(meet(options, "broker.example", echo(broker(), true)) == Step::Done);
  TlsOptions other = options;
  other.certificate_pem = unknown.pem();
  other.key_pem = unknown.key_pem("open-sesame");
  CHECK(meet(other, "broker.example", echo(broker(), true), &why, &refusal) == Step::Failed);
  CHECK(refusal == Exit::Permission);
}

TEST_CASE("TLS: what can't be loaded is named, without its secrets") {
  const Identity client("client", "", &authority());
  TlsOptions options;
  auto message = [&] {
    auto made = TlsContext::make(options);
    REQUIRE(!made.ok());
    CHECK(made.status().exit() == Exit::Configuration);
    CHECK(made.status().message().find("sesame") == std::string::npos);
    return made.status().message();
  };
  options.ca_location = "/nowhere/ca.pem";
  CHECK(message().find("`ssl.ca.location`: `/nowhere/ca.pem`") != std::string::npos);
  options = {};
  options.ca_pem = "no certificate";
  CHECK(message().find("`ssl.ca.pem`") != std::string::npos);
  options = {};
  options.certificate_pem = client.pem();
  options.key_pem = client.key_pem("open-sesame");
  CHECK(message().find("`ssl.key.pem`") != std::string::npos);
  options.key_password = "close-sesame";
  CHECK(message().find("`ssl.key.pem`") != std::string::npos);
  options.key_pem = stranger().key_pem("close-sesame");
  (void)message();  // the key of another certificate
  options = {};
  options.cipher_suites = "no such suite";
  CHECK(message().find("`ssl.cipher.suites`") != std::string::npos);
  options = {};
  options.keystore_location = "/nowhere/store.p12";
  CHECK(message().find("`ssl.keystore.location`") != std::string::npos);
}

TEST_CASE("TLS: a peer that goes or speaks something else may be met again") {
  std::string why;
  std::optional<Exit> refusal;
  auto hears = [](int socket) {
    char hello[4096];
    (void)!read(socket, hello, sizeof hello);
  };
  CHECK(meet(trusting(authority()), "broker.example", hears, &why, &refusal) == Step::Closed);
  CHECK(!refusal);
  // Gone before the first byte: no signal ends us.
  CHECK(meet(trusting(authority()), "broker.example", [](int) {}, &why, &refusal) != Step::Done);
  CHECK(!refusal);
  auto speaks_plainly = [](int socket) {
    char hello[8];
    (void)!read(socket, hello, sizeof hello);
    (void)!write(socket, "no TLS here, sorry", 18);
  };
  CHECK(meet(trusting(authority()), "broker.example", speaks_plainly, &why, &refusal) ==
        Step::Failed);
  CHECK(!refusal);
  CHECK(why.starts_with("TLS: "));
}

}  // namespace weir::runtime::kafka::fetch
