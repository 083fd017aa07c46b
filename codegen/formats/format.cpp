#include "codegen/formats/format.h"

namespace weir::codegen {

#define FORMAT(name, decoder, encoder)                     \
  std::unique_ptr<Decoder> decoder(const DecoderRequest&); \
  std::unique_ptr<Encoder> encoder(const compiler::Types&, const compiler::SinkNode&);
#include "codegen/formats/formats.def"
#undef FORMAT

std::unique_ptr<Decoder> make_decoder(std::string_view format,
                                      [[maybe_unused]] const DecoderRequest& request) {
#define FORMAT(name, decoder, encoder) \
  if (format == #name) return decoder(request);
#include "codegen/formats/formats.def"
#undef FORMAT
  return nullptr;
}

std::unique_ptr<Encoder> make_encoder(std::string_view format,
                                      [[maybe_unused]] const compiler::Types& types,
                                      [[maybe_unused]] const compiler::SinkNode& sink) {
#define FORMAT(name, decoder, encoder) \
  if (format == #name) return encoder(types, sink);
#include "codegen/formats/formats.def"
#undef FORMAT
  return nullptr;
}

}  // namespace weir::codegen
