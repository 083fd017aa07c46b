#include "runtime/connectors/kafka/fetch/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>

namespace weir::runtime::kafka::fetch {
namespace {

// RFC 7677 wants so many at least; more than the upper bound is a broker that wants to keep us
// busy.
constexpr int kIterationsMin = 4096, kIterationsMax = 1 << 18;

const EVP_MD* hash_of(const std::string& mechanism) {
  return mechanism == "SCRAM-SHA-512" ? EVP_sha512() : EVP_sha256();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string keyed_hash(const EVP_MD* hash, std::string_view key, std::string_view text) {
  std::string made(size_t(EVP_MD_get_size(hash)), '\0');
  HMAC(hash, key.data(), int(key.size()), bytes_of(text), text.size(),
       reinterpret_cast<unsigned char*>(made.data()), nullptr);
  return made;
}

std::string plain_hash(const EVP_MD* hash, std::string_view text) {
  std::string made(size_t(EVP_MD_get_size(hash)), '\0');
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(made.data()), nullptr, hash,
             nullptr);
  return made;
}

// A comma ends a field, so names have it, and what escapes it, escaped.
std::string escaped(std::string_view name) {
  std::string text;
  for (char c : name) {
    if (c == ',') {
      text += "=2C";
    } else if (c == '=') {
      text += "=3D";
    } else {
      text += c;
    }
  }
  return text;
}

// The field `n=…` of "a=…,n=…".
std::optional<std::string_view> field(std::string_view message, char name) {
  for (size_t at = 0; at < message.size();) {
    size_t end = std::min(message.find(',', at), message.size());
    std::string_view one = message.substr(at, end - at);
    if (one.size() >= 2 && one[0] == name && one[1] == '=') return one.substr(2);
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace

Scram::Scram(const SaslOptions& options, std::string nonce)
    : options_(options), nonce_(std::move(nonce)) {}

Status Scram::refuse(const std::string& why) const {
  return Status::error(Exit::Permission, "SASL " + options_.mechanism + ": " + why);
}

Result<std::string> Scram::begin() {
  step_ = 1;
  first_ = "n=" + escaped(options_.username) + ",r=" + nonce_;
  return "n,," + first_;  // no channel binding
}

Result<std::optional<std::string>> Scram::answer(std::string_view said) {
  if (auto error = field(said, 'e')) return refuse("the broker says `" + std::string(*error) + "`");
  if (step_ == 1) return prove(said);
  if (step_ != 2) return refuse("the broker goes on where nothing is to be said");
  if (Status status = verify(said); !status.ok()) return status;
  return std::optional<std::string>();
}

Result<std::optional<std::string>> Scram::prove(std::string_view said) {
  auto nonce = field(said, 'r'), salt_text = field(said, 's'), count = field(said, 'i');
  std::optional<std::string> salt = salt_text ? from_base64(*salt_text) : std::nullopt;
  int iterations = 0;
  if (count) std::from_chars(count->data(), count->data() + count->size(), iterations);
  if (!nonce || !salt || !count) return refuse("the broker's first message can't be read");
  // Another nonce than ours: an answer to somebody else.
  if (!nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
    return refuse("the broker's answer is not to our question");
  if (iterations < kIterationsMin || iterations > kIterationsMax) {
    return refuse("the broker wants " + std::to_string(iterations) + " iterations; " +
                  std::to_string(kIterationsMin) + " to " + std::to_string(kIterationsMax) +
                  " are taken");
  }
  const EVP_MD* hash = hash_of(options_.mechanism);
  std::string salted(size_t(EVP_MD_get_size(hash)), '\0');
  PKCS5_PBKDF2_HMAC(options_.password.data(), int(options_.password.size()), bytes_of(*salt),
                    int(salt->size()), iterations, hash, int(salted.size()),
                    reinterpret_cast<unsigned char*>(salted.data()));
  std::string last = "c=biws,r=" + std::string(*nonce);  // biws: "n,,"
  std::string all = first_ + "," + std::string(said) + "," + last;
  std::string client_key = keyed_hash(hash, salted, "Client Key");
  std::string proof = keyed_hash(hash, plain_hash(hash, client_key), all);
  for (size_t i = 0; i < proof.size(); i++) proof[i] = char(proof[i] ^ client_key[i]);
  server_signature_ = keyed_hash(hash, keyed_hash(hash, salted, "Server Key"), all);
  step_ = 2;
  return std::optional<std::string>(last + ",p=" + to_base64(proof));
}

Status Scram::verify(std::string_view said) {
  auto text = field(said, 'v');
  auto signature = text ? from_base64(*text) : std::nullopt;
  if (!signature || signature->size() != server_signature_.size() ||
      CRYPTO_memcmp(signature->data(), server_signature_.data(), signature->size()) != 0) {
    return refuse(
        "the broker has not proved that it knows the password: it is not the one that it "
        "should be");
  }
  step_ = 3;
  return {};
}

}  // namespace weir::runtime::kafka::fetch
