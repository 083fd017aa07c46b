#include "runtime/connectors/kafka/fetch/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace weir::runtime::kafka::fetch {
namespace {

template <auto destroy>
struct Free {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

// What OpenSSL last met, in its words.
std::string last_error() {
  unsigned long code = ERR_peek_last_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

Status wrong(const std::string& property) {
  return Status::error(Exit::Configuration, "kafka property `" + property + "`: " + last_error());
}
Status wrong_file(const std::string& property, const std::string& path) {
  return Status::error(Exit::Configuration,
                       "kafka property `" + property + "`: `" + path + "`: " + last_error());
}

Bio open_text(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), int(text.size())));
}

// For a key that is encrypted; without a password it can't be read, and nobody is asked on a
// terminal.
int give_password(char* to, int size, int, void* from) {
  const auto& password = *static_cast<const std::string*>(from);
  if (password.empty() || password.size() > size_t(size)) return -1;
  password.copy(to, password.size());
  return int(password.size());
}

// The socket as OpenSSL sees it. Its own kind writes without MSG_NOSIGNAL, so that a broker that
// has gone would end the process.
int socket_of(BIO* bio) { return int(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }
int done(BIO* bio, ssize_t result, int retry) {
  BIO_clear_retry_flags(bio);
  if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  return int(result);
}
int write_socket(BIO* bio, const char* from, int size) {
  return done(bio, send(socket_of(bio), from, size_t(size), MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}
int read_socket(BIO* bio, char* to, int size) {
  ssize_t got = recv(socket_of(bio), to, size_t(size), 0);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return done(bio, got, BIO_FLAGS_READ);
}
long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir socket");
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_ctrl(made, control_socket);
    return made;
  }();
  return method;
}

// Alerts by which a broker says that it does not take our certificate (RFC 8446, 6).
bool is_refusal(int alert) {
  switch (alert) {
    case SSL3_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsOptions& options) {
  std::shared_ptr<TlsContext> made(new TlsContext);
  ERR_clear_error();
  if (Status status = made->load(options); !status.ok()) return status;
  return std::shared_ptr<const TlsContext>(std::move(made));
}

Status TlsContext::load(const TlsOptions& options) {
  context_ = SSL_CTX_new(TLS_client_method());
  WEIR_CHECK(context_ != nullptr, "OpenSSL has TLS");
  checks_host_ = options.checks_host;
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Several records with one call of the system.
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_default_read_buffer_len(context_, 128 << 10);
  SSL_CTX_set_verify(context_, options.verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.cipher_suites.empty() &&
      SSL_CTX_set_cipher_list(context_, options.cipher_suites.c_str()) != 1)
    return wrong("ssl.cipher.suites");
  if (!options.curves.empty() && SSL_CTX_set1_curves_list(context_, options.curves.c_str()) != 1)
    return wrong("ssl.curves.list");
  if (!options.signature_algorithms.empty() &&
      SSL_CTX_set1_sigalgs_list(context_, options.signature_algorithms.c_str()) != 1)
    return wrong("ssl.sigalgs.list");
  if (Status status = load_trust(options); !status.ok()) return status;
  return load_identity(options);
}

Status TlsContext::load_trust(const TlsOptions& options) {
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  if (!options.ca_pem.empty()) {
    Bio text = open_text(options.ca_pem);
    int count = 0;
    while (Certificate one{PEM_read_bio_X509_AUX(text.get(), nullptr, give_password, nullptr)}) {
      X509_STORE_add_cert(store, one.get());
      count++;
    }
    if (count == 0) return wrong("ssl.ca.pem");
    ERR_clear_error();  // that the text has ended
  } else if (!options.ca_location.empty() && options.ca_location != "probe") {
    struct stat found{};
    bool is_folder = stat(options.ca_location.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
    const char* path = options.ca_location.c_str();
    if (SSL_CTX_load_verify_locations(context_, is_folder ? nullptr : path,
                                      is_folder ? path : nullptr) != 1)
      return wrong_file("ssl.ca.location", options.ca_location);
  } else {
    SSL_CTX_set_default_verify_paths(context_);
  }
  if (!options.crl_location.empty()) {
    if (X509_STORE_load_locations(store, options.crl_location.c_str(), nullptr) != 1)
      return wrong_file("ssl.crl.location", options.crl_location);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  return {};
}

Status TlsContext::load_identity(const TlsOptions& options) {
  auto* password = const_cast<std::string*>(&options.key_password);
  if (!options.certificate_location.empty() &&
      SSL_CTX_use_certificate_chain_file(context_, options.certificate_location.c_str()) != 1)
    return wrong_file("ssl.certificate.location", options.certificate_location);
  if (!options.certificate_pem.empty()) {
    Bio text = open_text(options.certificate_pem);
    Certificate first(PEM_read_bio_X509_AUX(text.get(), nullptr, give_password, password));
    if (!first || SSL_CTX_use_certificate(context_, first.get()) != 1)
      return wrong("ssl.certificate.pem");
    while (Certificate next{PEM_read_bio_X509(text.get(), nullptr, give_password, password)})
      SSL_CTX_add1_chain_cert(context_, next.get());
    ERR_clear_error();
  }
  SSL_CTX_set_default_passwd_cb(context_, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context_, password);
  bool has_key = true;
  if (!options.key_location.empty()) {
    if (SSL_CTX_use_PrivateKey_file(context_, options.key_location.c_str(), SSL_FILETYPE_PEM) != 1)
      return wrong_file("ssl.key.location", options.key_location);
  } else if (!options.key_pem.empty()) {
    Bio text = open_text(options.key_pem);
    Key key(PEM_read_bio_PrivateKey(text.get(), nullptr, give_password, password));
    if (!key || SSL_CTX_use_PrivateKey(context_, key.get()) != 1) return wrong("ssl.key.pem");
  } else {
    has_key = false;
  }
  SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);  // `options` go
  if (has_key && SSL_CTX_check_private_key(context_) != 1) return wrong("ssl.key.location");
  return options.keystore_location.empty() ? Status{} : load_keystore(options);
}

Status TlsContext::load_keystore(const TlsOptions& options) {
  Bio file(BIO_new_file(options.keystore_location.c_str(), "rb"));
  if (!file) return wrong_file("ssl.keystore.location", options.keystore_location);
  std::unique_ptr<PKCS12, Free<PKCS12_free>> store(d2i_PKCS12_bio(file.get(), nullptr));
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* chain = nullptr;
  if (!store ||
      PKCS12_parse(store.get(), options.keystore_password.c_str(), &key, &certificate, &chain) != 1)
    return wrong_file("ssl.keystore.location", options.keystore_location);
  Key owned_key(key);
  Certificate owned_certificate(certificate);
  bool used = SSL_CTX_use_cert_and_key(context_, certificate, key, chain, 1) == 1;
  sk_X509_pop_free(chain, X509_free);
  return used ? Status{} : wrong_file("ssl.keystore.location", options.keystore_location);
}

TlsSession::TlsSession(const TlsContext& context, int socket, const std::string& host)
    : session_(SSL_new(context.context_)), host_(host) {
  BIO* bio = BIO_new(socket_method());
  WEIR_CHECK(session_ != nullptr && bio != nullptr, "memory for a connection is always to be had");
  BIO_set_data(bio, reinterpret_cast<void*>(intptr_t(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session_, bio, bio);
  SSL_set_connect_state(session_);
  in6_addr number;
  bool is_name = inet_pton(AF_INET, host.c_str(), &number) != 1 &&
                 inet_pton(AF_INET6, host.c_str(), &number) != 1;
  if (is_name) SSL_set_tlsext_host_name(session_, host.c_str());  // RFC 6066: never a number
  // A number is compared with the certificate's numbers, a name with its names.
  if (context.checks_host_) SSL_set1_host(session_, host.c_str());
}
TlsSession::~TlsSession() { SSL_free(session_); }

Step TlsSession::shake_hands() {
  ERR_clear_error();
  return step(SSL_do_handshake(session_));
}
Step TlsSession::read(char* to, size_t size, size_t* moved) {
  ERR_clear_error();
  return step(SSL_read_ex(session_, to, size, moved));
}
Step TlsSession::write(const char* from, size_t size, size_t* moved) {
  ERR_clear_error();
  return step(SSL_write_ex(session_, from, size, moved));
}

Step TlsSession::step(int result) {
  if (result == 1) return Step::Done;
  int error_number = errno;
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
      return Step::WantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::WantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Step::Closed;
    case SSL_ERROR_SYSCALL:
      if (ERR_peek_error() == 0) {
        if (error_number == 0) return Step::Closed;
        why_ = strerror(error_number);
        return Step::Failed;
      }
      break;
    default:
      break;
  }
  return failed();
}

Step TlsSession::failed() {
  unsigned long code = ERR_peek_last_error();
  int reason = ERR_GET_REASON(code);
  // A broker that stops just goes.
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return Step::Closed;
  }
  why_ = "TLS: " + last_error();
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    long verdict = SSL_get_verify_result(session_);
    bool is_other =
        verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH;
    why_ = is_other ? "TLS: the broker's certificate is not for `" + host_ +
                          "` (`ssl.endpoint.identification.algorithm` is `https`)"
                    : "TLS: the broker's certificate can't be trusted: " +
                          std::string(X509_verify_cert_error_string(verdict)) +
                          " (is `ssl.ca.location` the right one?)";
    refusal_ = Exit::Configuration;
  } else if (reason > SSL_AD_REASON_OFFSET && is_refusal(reason - SSL_AD_REASON_OFFSET)) {
    why_ += ": the broker does not take this certificate of ours, or wants one";
    refusal_ = Exit::Permission;
  }
  return Step::Failed;
}

}  // namespace weir::runtime::kafka::fetch
