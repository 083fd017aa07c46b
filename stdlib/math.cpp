#include "stdlib/math.h"

#include <cmath>

double weir_math_round(double x) { return std::round(x); }
double weir_math_floor(double x) { return std::floor(x); }
double weir_math_ceil(double x) { return std::ceil(x); }
double weir_math_sqrt(double x) { return std::sqrt(x); }
double weir_math_exp(double x) { return std::exp(x); }
double weir_math_ln(double x) { return std::log(x); }
double weir_math_pow(double x, double y) { return std::pow(x, y); }
