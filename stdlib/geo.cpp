#include "stdlib/geo.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "stdlib/reasons.h"
#include "stdlib/utf8.h"

namespace {

constexpr double kEarthRadiusMetres = 6'371'008.8;  // the mean radius of WGS 84
constexpr std::string_view kGeohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz";

double radians(double degrees) { return degrees * std::numbers::pi / 180; }
double degrees(double radians) { return radians * 180 / std::numbers::pi; }

bool is_place(double latitude, double longitude) {
  return std::abs(latitude) <= 90 && std::abs(longitude) <= 180;
}

struct Place {
  double latitude, longitude;
};

bool destination(Place from, double bearing, double metres, Place& to) {
  if (!is_place(from.latitude, from.longitude) || !std::isfinite(bearing) || !std::isfinite(metres))
    return false;
  double angle = metres / kEarthRadiusMetres, direction = radians(bearing);
  double latitude = radians(from.latitude);
  double sine = std::sin(latitude) * std::cos(angle) +
                std::cos(latitude) * std::sin(angle) * std::cos(direction);
  to.latitude = degrees(std::asin(std::clamp(sine, -1.0, 1.0)));
  double turned = std::atan2(std::sin(direction) * std::sin(angle) * std::cos(latitude),
                             std::cos(angle) - std::sin(latitude) * sine);
  to.longitude = std::remainder(from.longitude + degrees(turned), 360);
  return true;
}

// The middle of the cell.
bool read_geohash(WeirBytes hash, Place& middle) {
  double low[2] = {-90, -180}, high[2] = {90, 180};
  bool of_longitude = true;
  if (hash.size == 0 || hash.size > 24) return false;
  for (char c : weir::stdlib::view(hash)) {
    size_t digit = kGeohashDigits.find(c >= 'A' && c <= 'Z' ? char(c + 32) : c);
    if (digit == std::string_view::npos) return false;
    for (int bit = 4; bit >= 0; bit--, of_longitude = !of_longitude) {
      double half = (low[of_longitude] + high[of_longitude]) / 2;
      ((digit >> bit & 1) != 0 ? low : high)[of_longitude] = half;
    }
  }
  middle = {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2};
  return true;
}

}  // namespace

WeirReason weir_geo_distance_m(double latitude, double longitude, double to_latitude,
                               double to_longitude, double* result) {
  if (!is_place(latitude, longitude) || !is_place(to_latitude, to_longitude))
    return kReasonOutOfRange;
  double up = std::sin(radians(to_latitude - latitude) / 2);
  double across = std::sin(radians(to_longitude - longitude) / 2);
  double haversine =
      up * up + std::cos(radians(latitude)) * std::cos(radians(to_latitude)) * across * across;
  *result = 2 * kEarthRadiusMetres * std::asin(std::min(1.0, std::sqrt(haversine)));
  return 0;
}

WeirReason weir_geo_bearing(double latitude, double longitude, double to_latitude,
                            double to_longitude, double* result) {
  if (!is_place(latitude, longitude) || !is_place(to_latitude, to_longitude))
    return kReasonOutOfRange;
  double from = radians(latitude), to = radians(to_latitude);
  double across = radians(to_longitude - longitude);
  double angle = degrees(
      std::atan2(std::sin(across) * std::cos(to),
                 std::cos(from) * std::sin(to) - std::sin(from) * std::cos(to) * std::cos(across)));
  angle = angle < 0 ? angle + 360 : angle;
  *result = angle >= 360 ? 0 : angle;
  return 0;
}

WeirReason weir_geo_destination_latitude(double latitude, double longitude, double bearing,
                                         double metres, double* result) {
  Place to;
  if (!destination({latitude, longitude}, bearing, metres, to)) return kReasonOutOfRange;
  *result = to.latitude;
  return 0;
}
WeirReason weir_geo_destination_longitude(double latitude, double longitude, double bearing,
                                          double metres, double* result) {
  Place to;
  if (!destination({latitude, longitude}, bearing, metres, to)) return kReasonOutOfRange;
  *result = to.longitude;
  return 0;
}

// By the sides that a ray to the east crosses.
WeirReason weir_geo_in_polygon(double latitude, double longitude, WeirList corners, bool* result) {
  auto* at = static_cast<const double*>(corners.data);
  if (corners.count < 6 || corners.count % 2 != 0) return kReasonOutOfRange;
  bool inside = false;
  for (uint64_t i = 0, before = corners.count - 2; i < corners.count; before = i, i += 2) {
    double y = at[i], x = at[i + 1], last_y = at[before], last_x = at[before + 1];
    if ((y > latitude) != (last_y > latitude) &&
        longitude < (last_x - x) * (latitude - y) / (last_y - y) + x)
      inside = !inside;
  }
  *result = inside;
  return 0;
}

WeirReason weir_geo_geohash(WeirArena* arena, double latitude, double longitude, int64_t length,
                            WeirBytes* result) {
  if (!is_place(latitude, longitude) || length < 1 || length > 12) return kReasonOutOfRange;
  double low[2] = {-90, -180}, high[2] = {90, 180};
  bool of_longitude = true;
  char* to = weir_arena_take(arena, uint64_t(length));
  for (int64_t i = 0; i < length; i++) {
    size_t digit = 0;
    for (int bit = 0; bit < 5; bit++, of_longitude = !of_longitude) {
      double half = (low[of_longitude] + high[of_longitude]) / 2;
      bool upper = (of_longitude ? longitude : latitude) >= half;
      (upper ? low : high)[of_longitude] = half;
      digit = digit << 1 | size_t(upper);
    }
    to[i] = kGeohashDigits[digit];
  }
  *result = {to, uint64_t(length)};
  return 0;
}

WeirReason weir_geo_geohash_latitude(WeirBytes hash, double* result) {
  Place middle;
  if (!read_geohash(hash, middle)) return kReasonBadCast;
  *result = middle.latitude;
  return 0;
}
WeirReason weir_geo_geohash_longitude(WeirBytes hash, double* result) {
  Place middle;
  if (!read_geohash(hash, middle)) return kReasonBadCast;
  *result = middle.longitude;
  return 0;
}

WeirReason weir_geo_tile_x(double longitude, int64_t zoom, int64_t* result) {
  if (!is_place(0, longitude) || zoom < 0 || zoom > 30) return kReasonOutOfRange;
  auto count = int64_t{1} << zoom;
  *result = std::min(int64_t((longitude + 180) / 360 * double(count)), count - 1);
  return 0;
}

WeirReason weir_geo_tile_y(double latitude, int64_t zoom, int64_t* result) {
  if (!is_place(latitude, 0) || zoom < 0 || zoom > 30) return kReasonOutOfRange;
  auto count = int64_t{1} << zoom;
  double y = (1 - std::asinh(std::tan(radians(latitude))) / std::numbers::pi) / 2;
  // The map ends at 85.05°.
  *result = std::clamp(int64_t(std::floor(std::clamp(y, 0.0, 1.0) * double(count))), int64_t{0},
                       count - 1);
  return 0;
}
