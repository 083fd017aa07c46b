#include "runtime/connectors/kafka/fetch/sasl.h"

#include <doctest/doctest.h>

namespace weir::runtime::kafka::fetch {
namespace {

// The example of RFC 7677, 3.
const SaslOptions kPencil = {"SCRAM-SHA-256", "user", "pencil", ""};
constexpr const char* kNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const std::string kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

std::string refused(const std::string& said, const SaslOptions& options = kPencil) {
  auto sasl = Sasl::make(options, kNonce);
  CHECK(sasl->begin().ok());
  auto answer = sasl->answer(said);
  REQUIRE(!answer.ok());
  CHECK(answer.status().exit() == Exit::Permission);
  CHECK(answer.status().message().find("pencil") == std::string::npos);
  return answer.status().message();
}

}  // namespace

TEST_CASE("SCRAM: the example of RFC 7677") {
  auto sasl = Sasl::make(kPencil, kNonce);
  CHECK(*sasl->begin() == std::string("n,,n=user,r=") + kNonce);
  auto proof = sasl->answer(kServerFirst);
  REQUIRE(proof.ok());
  CHECK(**proof == kClientFinal);
  auto end = sasl->answer(kServerFinal);
  REQUIRE(end.ok());
  CHECK(!end->has_value());
}

TEST_CASE("SCRAM: a broker that does not know the password is not believed") {
  for (std::string said :
       {std::string("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), std::string("v="),
        std::string(""), std::string("v=AAAA"), std::string("e=other-error")}) {
    auto sasl = Sasl::make(kPencil, kNonce);
    (void)sasl->begin();
    CHECK(sasl->answer(kServerFirst).ok());
    auto end = sasl->answer(said);
    REQUIRE(!end.ok());
    CHECK(end.status().exit() == Exit::Permission);
  }
}

TEST_CASE("SCRAM: what a broker may not ask for") {
  // Nothing, so that only its word would let us in.
  CHECK(refused("").find("can't be read") != std::string::npos);
  CHECK(refused(kServerFinal).find("can't be read") != std::string::npos);
  CHECK(refused("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096").find("not to our question") !=
        std::string::npos);
  CHECK(refused(std::string("r=") + kNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
            .find("not to our question") != std::string::npos);
  std::string start = std::string("r=") + kNonce + "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=";
  for (const char* count : {"1", "4095", "-1", "999999999"})
    CHECK(refused(start + count).find("iterations") != std::string::npos);
  CHECK(refused(std::string("r=") + kNonce + "x,s=*,i=4096").find("can't be read") !=
        std::string::npos);
}

TEST_CASE("SCRAM: names with commas, another hash, a nonce of its own") {
  SaslOptions options{"SCRAM-SHA-512", "a,b=c", "p", ""};
  CHECK(*Sasl::make(options, "N")->begin() == "n,,n=a=2Cb=3Dc,r=N");
  std::string one = *Sasl::make(options)->begin(), other = *Sasl::make(options)->begin();
  CHECK(one != other);
  auto sasl = Sasl::make(options, kNonce);
  (void)sasl->begin();
  auto proof = sasl->answer(kServerFirst);
  REQUIRE(proof.ok());
  CHECK((*proof)->size() > kClientFinal.size());  // 64 bytes instead of 32
}

TEST_CASE("PLAIN and OAUTHBEARER") {
  auto plain = Sasl::make({"PLAIN", "u", "p", ""});
  CHECK(*plain->begin() == std::string("\0u\0p", 4));
  CHECK(!plain->answer("")->has_value());

  auto bearer = Sasl::make({"OAUTHBEARER", "", "", "principal=me extension_a=b"});
  std::string first = *bearer->begin();
  CHECK(
      first.starts_with("n,,\x01"
                        "auth=Bearer eyJhbGciOiJub25lIn0."));
  CHECK(
      first.ends_with(".\x01"
                      "a=b\x01\x01"));
  CHECK(!bearer->answer("")->has_value());
  CHECK(**bearer->answer("{\"status\":\"invalid_token\"}") == "\x01");

  auto token = make_unsecured_token("principal=me scope=a,b lifeSeconds=60", 1000);
  REQUIRE(token.ok());
  std::string claims = token->text.substr(token->text.find('.') + 1);
  claims.pop_back();
  while (claims.size() % 4 != 0) claims += '=';
  CHECK(*from_base64(claims) == R"({"sub":"me","iat":1000,"exp":1060,"scope":["a","b"]})");
  CHECK(!make_unsecured_token("scope=a", 0).ok());
  CHECK(!make_unsecured_token("principal", 0).ok());
  CHECK(!Sasl::knows("GSSAPI"));
}

TEST_CASE("base64") {
  for (std::string text : {"a", "ab", "abc", "abcd"}) CHECK(*from_base64(to_base64(text)) == text);
  CHECK(!from_base64("abc"));
  CHECK(!from_base64("a*cd"));
}

}  // namespace weir::runtime::kafka::fetch
