// Functions of places on the earth (geo.weir).
#pragma once

#include "stdlib/call.h"

extern "C" {
WeirReason weir_geo_distance_m(double latitude, double longitude, double to_latitude,
                               double to_longitude, double* result);
WeirReason weir_geo_bearing(double latitude, double longitude, double to_latitude,
                            double to_longitude, double* result);
WeirReason weir_geo_destination_latitude(double latitude, double longitude, double bearing,
                                         double metres, double* result);
WeirReason weir_geo_destination_longitude(double latitude, double longitude, double bearing,
                                          double metres, double* result);
WeirReason weir_geo_in_polygon(double latitude, double longitude, WeirList corners, bool* result);
WeirReason weir_geo_geohash(WeirArena* arena, double latitude, double longitude, int64_t length,
                            WeirBytes* result);
WeirReason weir_geo_geohash_latitude(WeirBytes hash, double* result);
WeirReason weir_geo_geohash_longitude(WeirBytes hash, double* result);
WeirReason weir_geo_tile_x(double longitude, int64_t zoom, int64_t* result);
WeirReason weir_geo_tile_y(double latitude, int64_t zoom, int64_t* result);
}
