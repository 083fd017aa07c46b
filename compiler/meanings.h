// What the names of a program mean, noted while it is checked: for editors (tools/lsp).
//
// A use points to where its name is declared: a field to the item of the block or record that makes
// it, which may itself be a use of another field. Spans are in the sources of the compilation.
#pragma once

#include <string>
#include <vector>

#include "dsl/source.h"

namespace weir::compiler {

struct Meanings {
  struct Use {
    dsl::Span use;       // the name
    dsl::Span declared;  // what declares it; its name stands in it
  };
  struct Typed {
    dsl::Span span;
    std::string type;
  };
  // What could stand where a name is called `marker`.
  struct Offer {
    std::string name, type;
  };
  std::vector<Use> uses;
  std::vector<Typed> typed;  // every expression
  std::string marker;
  std::vector<Offer> offers;
};

}  // namespace weir::compiler
