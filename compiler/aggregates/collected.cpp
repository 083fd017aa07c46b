// Aggregates that keep values (stdlib/engine/bag.h): collect, collect_distinct, count_distinct,
// top.
//
// A value is kept as its canonical key bytes, behind those of what it is ordered by: comparing the
// bytes orders the entries, whatever their types. collect(x): in the order of event time,
// partition, offset; collect(x by e): by e first. collect_distinct(x): by x. top(n, x): the n
// greatest x, greatest first; top(n, x by e): the x of the n rows with the greatest e, of equals
// the earlier. count_distinct(x): exact; count_distinct(x approx e): about (distinct.h). Of nothing
// a count is 0, the others are null.
#include <cmath>

#include "compiler/aggregates/kept.h"
#include "compiler/checker.h"
#include "compiler/constant.h"

namespace weir::compiler {
namespace {

const Type kBytes = type_of(TypeKind::Bytes), kCount = type_of(TypeKind::Int64),
           kTruth = type_of(TypeKind::Bool);

Expr count_of_kept() { return kernel(Op::Call, "weir_bag_count", kCount, {state_of(0, kBytes)}); }
Expr nothing_kept() { return make(Op::Equal, kTruth, {count_of_kept(), number(0)}, {}); }

// Where a row stands, as far as is known.
std::vector<Expr> place_of(const AggregateRequest& request) {
  std::vector<Expr> place;
  if (request.event_time)
    place.push_back(make(Op::EventTime, timestamp_type(TimeUnit::Micro), {}, {}));
  if (!request.positions) return place;
  for (auto [field, kind] : {std::pair{MetaField::Partition, TypeKind::Int32},
                             std::pair{MetaField::Offset, TypeKind::Int64}}) {
    Expr meta = make(Op::Meta, type_of(kind), {}, {});
    meta.index = uint32_t(field);
    place.push_back(std::move(meta));
  }
  return place;
}

// Greatest of the earliest.
Expr reversed(Expr place) {
  Expr whole = cast_to(std::move(place), kCount);
  return make(Op::Subtract, kCount, {number(0), std::move(whole)}, {});
}

bool can_keep(const AggregateRequest& request, std::string& refusal) {
  for (size_t i = 0; i < request.arguments.size(); ++i) {
    if (can_be_key(request.arguments[i])) continue;
    refusal = i + 1 == request.arguments.size() && request.by
                  ? "can't order by this"
                  : "can't keep a value of this type yet";
    request.refused = uint32_t(i);
    return false;
  }
  return true;
}

// What an entry is made of: of the state's signature.
std::string entry_text(const AggregateRequest& request, const std::vector<Expr>& entry) {
  std::string text = " (";
  for (const Expr& part : entry) text += to_text(request.types, part.type) + ";";
  return text + ")";
}

Expr list_of_kept(const AggregateRequest& request, const std::vector<Expr>& entry,
                  int64_t greatest) {
  Types& types = request.types;
  Expr entries = kernel(Op::Call, "weir_bag_entries", types.list_of(kBytes),
                        {state_of(0, kBytes), number(greatest)});
  std::vector<Expr> args{std::move(entries)};
  for (const Expr& part : entry) args.push_back(make(Op::Constant, part.type, {}, {}));
  Expr values = make(Op::KeyValues, types.list_of(request.arguments[0]), std::move(args), {});
  return unless_empty(request, nothing_kept(), std::move(values));
}

}  // namespace

std::optional<AggregateBody> expand_collect(const AggregateRequest& request, std::string& refusal) {
  if (!can_keep(request, refusal)) return std::nullopt;
  std::vector<Expr> entry;
  if (request.by) entry.push_back(argument_of(1, request.arguments[1]));
  for (Expr& part : place_of(request)) entry.push_back(std::move(part));
  entry.push_back(argument_of(0, request.arguments[0]));
  AggregateBody body = kept_by("weir_bag_add", "weir_bag_merge",
                               make(Op::KeyBytes, kBytes, entry, {}), std::nullopt);
  body.finish = list_of_kept(request, entry, 0);
  body.parameters = entry_text(request, entry);
  body.unbounded = true;
  return body;
}

std::optional<AggregateBody> expand_collect_distinct(const AggregateRequest& request,
                                                     std::string& refusal) {
  if (!can_keep(request, refusal)) return std::nullopt;
  std::vector<Expr> entry{argument_of(0, request.arguments[0])};
  AggregateBody body = kept_by("weir_set_add", "weir_set_merge",
                               make(Op::KeyBytes, kBytes, entry, {}), std::nullopt);
  body.finish = list_of_kept(request, entry, 0);
  body.parameters = " (" + to_text(request.types, request.arguments[0]) + ")";
  body.unbounded = true;
  return body;
}

std::optional<AggregateBody> expand_count_distinct(const AggregateRequest& request,
                                                   std::string& refusal) {
  if (!can_keep(request, refusal)) return std::nullopt;
  Expr entry = make(Op::KeyBytes, kBytes, {argument_of(0, request.arguments[0])}, {});
  AggregateBody body;
  std::string parameters = " (" + to_text(request.types, request.arguments[0]) + ")";
  if (!request.approx) {
    body = kept_by("weir_set_add", "weir_set_merge", std::move(entry), std::nullopt);
    body.finish = count_of_kept();
    body.parameters = std::move(parameters);
    body.unbounded = true;
    return body;
  }
  // The least number of registers whose standard error is within what is asked for.
  constexpr int kDigitsMin = 4, kDigitsMax = 18;
  int digits = kDigitsMin;
  while (digits < kDigitsMax && 1.04 / std::sqrt(std::ldexp(1.0, digits)) > *request.approx)
    ++digits;
  if (!(1.04 / std::sqrt(std::ldexp(1.0, digits)) <= *request.approx) || *request.approx > 0.5) {
    refusal = "counts with an error between 0.00204 and 0.5";
    request.refused = AggregateRequest::kApprox;
    return std::nullopt;
  }
  body = kept_by("weir_distinct_add", "weir_distinct_merge", std::move(entry), number(digits));
  body.finish = kernel(Op::Call, "weir_distinct_count", kCount, {state_of(0, kBytes)});
  body.parameters = parameters + " digits " + std::to_string(digits);
  return body;
}

std::optional<AggregateBody> expand_top(const AggregateRequest& request, std::string& refusal) {
  constexpr int64_t kTopMax = 100'000;
  auto n = std::get<int64_t>(request.constant.value);
  if (n < 1 || n > kTopMax) {
    refusal = "gives between 1 and " + std::to_string(kTopMax) + " values";
    request.refused = AggregateRequest::kConstant;
    return std::nullopt;
  }
  if (!can_keep(request, refusal)) return std::nullopt;
  if (!can_order(request.arguments.back().required())) {
    refusal = "wants values that have an order";
    request.refused = uint32_t(request.arguments.size() - 1);
    return std::nullopt;
  }
  std::vector<Expr> entry;
  if (request.by) {
    entry.push_back(argument_of(1, request.arguments[1]));
    for (Expr& part : place_of(request)) entry.push_back(reversed(std::move(part)));
  }
  entry.push_back(argument_of(0, request.arguments[0]));
  AggregateBody body =
      kept_by("weir_top_add", "weir_top_merge", make(Op::KeyBytes, kBytes, entry, {}), number(n));
  body.finish = list_of_kept(request, entry, n);
  body.parameters = " " + std::to_string(n) + entry_text(request, entry);
  return body;
}

}  // namespace weir::compiler
