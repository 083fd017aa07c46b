// `weir lsp`: answers an editor until it says goodbye or closes the pipe. One thread.
#pragma once

namespace weir::lsp {

// Reads messages from `in`, writes to `out`. 0 if the editor has ended the session as it should.
int serve(int in, int out);

}  // namespace weir::lsp
