// The rows that one keyed operator keeps (`dedup`, `over`, `scan`), by key, in memory; and what it
// makes of them.
//
//     stages' tables ─ take ─► rows of their keys ─ fire ─► emission's stage
//
// `take` gets rows as they come. `dedup` and `on arrival` hand them on at once; elsewhere they wait
// until `fire` says that the watermark has passed them, and leave in order: event time, partition,
// offset. A row that no later row can need is forgotten.
//
// In a store, and in the changelog, an entry is one row; its pane is the row's event time, so that
// what the watermark has passed goes as panes do, without tombstones. Its key (golden bytes:
// keyed_rows_test.cpp):
//
//     | shard, event time (state_key.h) | canonical key bytes
//     | partition u32 BE | offset i64 BE, sign bit flipped | origin u32 BE | number u32 BE |
//
// Rows of operators and rows `on arrival` have their number in the order of arrival for an offset.
// `origin` tells sources apart, `number` the rows that were made of one record. Of `dedup` there is
// only the canonical key, and no value but a header. What `over` has summed up of all rows of a
// key, and the state of a key in a `scan`, is in pane INT64_MAX, under its canonical key. Rows of a
// `scan` that are handed on `on arrival` are not written down at all.
//
// Where keys expire, a row that comes more than that behind the last one that was handed on is the
// first of its key: it depends on the rows alone. The watermark only says when a key that nobody
// can use any more is dropped.
//
// Threads: the control thread, while no lane runs; `freeze_shard` on several for different shards.
#pragma once

#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/fire.h"
#include "runtime/frame_window.h"

namespace weir::runtime {

class KeyedRows {
 public:
  KeyedRows(const KeyedInfo& info, StateValueCodec codec, uint32_t number, uint32_t shards,
            Store* store);

  // What the store has. Rows in front of the watermark have been handed on.
  Status load(int64_t watermark);

  // Where the rows of a table come from: a partition of a source, or another operator.
  struct Origin {
    bool of_source = false;
    int32_t partition = 0;
    uint32_t source = 0;  // a number of the source's name
  };
  // Takes the rows of a stage's table; the caller clears it then.
  Status take(stdlib::PaneTables& table, const Origin& origin, const FireTo& to_stage);
  // Hands on what the watermark has passed.
  Status fire(int64_t watermark, const FireTo& to_stage);
  // Forgets what it has made unnecessary. Returns the first event time that is needed, if the store
  // may forget those in front of it.
  std::optional<int64_t> forget(int64_t watermark);
  // The watermark at which everything that has been handed on is behind it; INT64_MIN: nothing.
  int64_t last_close() const { return last_close_; }

  // Behind each call of the stage, while its arena is as it left it: takes over the states of keys
  // that it has changed.
  void ran();

  // What has changed, as changelog records.
  std::vector<std::string> freeze_shard(uint32_t shard, uint64_t epoch);
  bool dirty() const;
  uint64_t bytes() const { return bytes_; }
  uint64_t groups() const { return rows_ + keys_.size(); }

 private:
  struct Key {
    std::string bytes;
    uint32_t shard = 0;
    uint32_t noted = 0;  // entries of `by_time_`, `uses_` …: it stays as long as there are some
    // By place; `on arrival` as they came.
    std::vector<KeptRow> rows;
    size_t handed_on = 0;                               // of them, the first ones
    std::vector<std::unique_ptr<FrameWindow>> windows;  // by frame
    PackedGroup total;  // of all rows that were handed on; of a scan its state
    bool total_dirty = false;
    bool running = false;      // the stage may change `total`
    int64_t used = INT64_MIN;  // the last event time that was handed on; only where keys expire
  };
  struct Noted {
    RowPlace place;
    Key* key;
    bool operator<(const Noted& other) const { return other.place < place; }  // the least on top
  };
  struct Change {
    std::string key, value;
    bool removed = false;
  };
  struct Shard {
    std::vector<Change> changes;
    std::vector<Key*> totals;  // that are dirty
  };

  bool is_dedup() const { return rows_info_.kind() == contract::Rows::DEDUP; }
  bool is_scan() const { return rows_info_.kind() == contract::Rows::SCAN; }
  bool on_arrival() const { return rows_info_.on_arrival(); }
  Key& key_of(std::string_view bytes);
  std::string entry_key(const Key& key, const RowPlace& place) const;
  bool read_place(std::string_view bytes, std::string_view* key, RowPlace* place) const;
  bool is_repeated(const Key& key, int64_t time) const;
  void keep(Key& key, KeptRow row);
  void write_down(const Key& key, const KeptRow& row);
  void note(Key& key, const RowPlace& place);
  void trim(Key& key, int64_t needed);
  void trim_some(Key& key, int64_t needed);
  void forget_row(const Key& key, const KeptRow& row, bool written_down);
  void forget_if_unused(Key* key);
  // Where keys expire: in front of handing on `row`. One that was not used for too long begins
  // anew, and the row is its first one then.
  Status use(Key& key, int64_t time, size_t* row, const FireTo& to_stage);
  bool is_expired(int64_t used, int64_t time) const;
  void forget_key(Key& key, size_t rows);  // … and so many of its rows, that were handed on
  void forget_expired(int64_t watermark);
  // Rows leave in pieces: `hand_on` collects, `flush` delivers.
  Status hand_on(WeirBytes key, int64_t time, const char* group, char* state,
                 const FireTo& to_stage);
  Status flush(const FireTo& to_stage);
  Status hand_on_over(Key& key, size_t row, const FireTo& to_stage);
  Status hand_on_scan(Key& key, int64_t time, const char* group, const FireTo& to_stage);
  void mark_dirty(Key& key);
  void merge_frame(Key& key, size_t frame, size_t row);  // into `scratch_`
  void add_to_total(Key& key, const char* group);        // … and into `scratch_`

  const KeyedInfo& info_;
  const contract::Rows& rows_info_;
  StateValueCodec codec_;
  uint32_t number_;
  Store* store_;
  GroupPacker packer_;
  std::vector<Frame> frames_;
  int64_t expire_us_ = 0;     // a key unused for longer is forgotten; 0: none is
  uint32_t used_offset_ = 0;  // of the last use, in the total
  int64_t retention_us_ = 0;  // rows so far behind the watermark are not needed …
  uint32_t rows_kept_ = 0;    // … but so many of each key always
  std::vector<Shard> shards_;
  std::unordered_map<std::string_view, std::unique_ptr<Key>> keys_;
  std::priority_queue<Noted> waiting_;  // rows that have not been handed on
  std::priority_queue<Noted> by_time_;  // all rows, to be forgotten
  std::priority_queue<Noted> uses_;     // keys that may expire, by a use, maybe not the last one
  std::vector<Key*> expired_;           // gone when that is written down
  std::vector<Key*> touched_;           // where `rows_kept_` says what goes
  int64_t next_number_ = 1;
  int64_t watermark_ = INT64_MIN;  // rows in front of it have been handed on
  int64_t last_close_ = INT64_MIN;
  uint64_t rows_ = 0, bytes_ = 0;

  // Rows on their way to the stage.
  std::vector<WeirFired> fired_;
  std::vector<char> results_, scratch_;
  std::vector<PackedGroup> replaced_;  // whose texts results may have
  std::vector<Key*> running_;
  WeirArena texts_{};
  stdlib::ArenaBlocks text_blocks_;
};

}  // namespace weir::runtime
