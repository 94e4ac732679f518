// 32 lanes of a warp at once, so that the kernel of fused_convolutions.cu runs where there is no GPU.
#include <cmath>

#define EMULATED
#define DEVICE static inline
#define CONSTANT static const

#define EACH for (int k = 0; k < 32; k++)

struct truth { bool v[32]; };

template <typename T> struct lane32 {
    T v[32];
    lane32() {}
    lane32(T x) { EACH v[k] = x; }
    friend lane32 operator+(const lane32& a, const lane32& b) { lane32 c; EACH c.v[k] = a.v[k] + b.v[k]; return c; }
    friend lane32 operator-(const lane32& a, const lane32& b) { lane32 c; EACH c.v[k] = a.v[k] - b.v[k]; return c; }
    friend lane32 operator*(const lane32& a, const lane32& b) { lane32 c; EACH c.v[k] = a.v[k] * b.v[k]; return c; }
    friend lane32 operator/(const lane32& a, const lane32& b) { lane32 c; EACH c.v[k] = a.v[k] / b.v[k]; return c; }
    friend truth operator<(const lane32& a, const lane32& b) { truth c; EACH c.v[k] = a.v[k] < b.v[k]; return c; }
    friend truth operator>(const lane32& a, const lane32& b) { truth c; EACH c.v[k] = a.v[k] > b.v[k]; return c; }
    friend truth operator>=(const lane32& a, const lane32& b) { truth c; EACH c.v[k] = a.v[k] >= b.v[k]; return c; }
    friend truth operator==(const lane32& a, const lane32& b) { truth c; EACH c.v[k] = a.v[k] == b.v[k]; return c; }
};
typedef lane32<float> real;
typedef lane32<int> whole;

DEVICE whole lanes() { whole c; EACH c.v[k] = k; return c; }
DEVICE real from_lane(const real& x, const whole& lane) { real c; EACH c.v[k] = x.v[lane.v[k]]; return c; }
struct place { const float* table; whole at; };
DEVICE place placed(const float* table, const whole& at) { return {table, at}; }
DEVICE place further(const place& p, int step) { return {p.table + step, p.at}; }
DEVICE real loaded(const place& p, int step) { real c; EACH c.v[k] = p.table[p.at.v[k] + step]; return c; }
DEVICE real picked(const truth& q, const real& a, const real& b) {
    real c;
    EACH c.v[k] = q.v[k] ? a.v[k] : b.v[k];
    return c;
}
DEVICE whole picked(const truth& q, const whole& a, const whole& b) {
    whole c;
    EACH c.v[k] = q.v[k] ? a.v[k] : b.v[k];
    return c;
}
DEVICE real size_of(const real& x) { real c; EACH c.v[k] = std::fabs(x.v[k]); return c; }
DEVICE real with_sign(const real& x, const real& sign) {
    real c;
    EACH c.v[k] = std::copysign(x.v[k], sign.v[k]);
    return c;
}
DEVICE real root_of(const real& x) { real c; EACH c.v[k] = std::sqrt(x.v[k]); return c; }
DEVICE real quotient(const real& a, const real& b) { return a / b; }
