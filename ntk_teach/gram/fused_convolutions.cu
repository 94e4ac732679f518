// Limiting kernels of a convolutional network, one pair of images after the other.
//
// A convolution couples the pixel pair (i, j) to the pairs (i + a, j + a) only: the offset j - i stays. So the pairs of
// one offset are one image of their own, taken through the whole depth without a look at the others. Offsets are
// counted modulo the size of the image; zero padding cuts that image where j leaves its own at one side and comes back
// at the other. A lane of a warp is a column; LANES columns belong together, and a warp holds as many offsets as fit.
//
// Defined in front of this text: HEIGHT, WIDTH, CHANNELS, REACH (half of a window), CIRCULAR, DEPTH, WARPS, BLOCKS,
// ROWWISE, BIASED (is there a bias?), and BIAS, ETA, EXTRA and SHIFT, initializers of DEPTH numbers each.
// With EMULATED defined, too, `real`, `whole` and `truth` are 32 lanes at once and a C++ compiler suffices.

#define PITCH 32                    // numbers from one row of a table to the next
#define TOGETHER (32 / WIDTH)       // offsets of a warp
#define OFFSETS (HEIGHT * WIDTH)
#define TABLES (CHANNELS + DEPTH)   // channels, then a scale for each layer

#ifndef EMULATED
typedef float real;
typedef int whole;
typedef bool truth;
#define DEVICE static __device__ __forceinline__
#define CONSTANT static __constant__
DEVICE whole lanes() { return threadIdx.x % 32; }
DEVICE real from_lane(real x, whole lane) { return __shfl_sync(0xffffffffu, x, lane); }
typedef const float* place;
DEVICE place placed(const float* table, whole at) { return table + at; }
DEVICE place further(place p, int step) { return p + step; }
DEVICE real loaded(place p, int step) { return __ldg(p + step); }
DEVICE real picked(truth c, real a, real b) { return c ? a : b; }
DEVICE whole picked(truth c, whole a, whole b) { return c ? a : b; }
DEVICE real size_of(real x) { return fabsf(x); }
DEVICE real with_sign(real x, real sign) { return copysignf(x, sign); }
DEVICE real root_of(real x) { return sqrtf(x); }
DEVICE real quotient(real a, real b) { return __fdividef(a, b); }
#endif

#if !ROWWISE  // layers are counted at run time
CONSTANT float eta[DEPTH] = ETA;
CONSTANT float shift[DEPTH] = SHIFT;
#if BIASED
CONSTANT float bias[DEPTH] = BIAS;
CONSTANT float extra[DEPTH] = EXTRA;
#endif
#endif

// acos x = sqrt(1 - x) P(x) on [0, 1], to 3e-7
DEVICE real acos_factor(real x) {
    real p = x * 2.611757256090641e-3f + -1.2003484182059765e-2f;
    p = p * x + 2.7762990444898605e-2f;
    p = p * x + -4.919746518135071e-2f;
    p = p * x + 8.883588761091232e-2f;
    p = p * x + -0.21459108591079712f;
    return p * x + 1.570796251296997f;
}

// Rule 2: s <- scale (sin + rho opening), t <- t opening, with rho = s/scale and opening = acos(-rho) + shift.
// Where |rho| is above `edge` it counts as 1: rounding alone is between the two.
DEVICE void activate(real& s, real& t, real scale, real edge, float shift) {
    const float quarter = 1.5707963267948966f;
    real rho = quotient(s, scale);
    rho = picked(size_of(rho) > edge, with_sign(real(1.0f), rho), rho);
    real x = size_of(rho);
    real root = root_of(1.0f - x);
    real opening = with_sign(quarter - root * acos_factor(x), rho) + (quarter + shift);
    s = scale * (rho * opening + root * root_of(x + 1.0f));
    t = t * opening;
}

struct Offset {
    place first, second;              // row 0 of both images in this lane's column
    whole left[REACH], right[REACH];  // lanes of the neighbors
    real has_left[REACH], has_right[REACH];
    whole seam;  // the row before which the second image begins anew
    real edge, live;
};

// The offsets `number`, `number` + 1, ..., one for each group of lanes. `same`: both images are one image.
DEVICE Offset offset(const float* one, const float* two, int number, bool same) {
    Offset o;
    whole lane = lanes();
    whole group = picked(lane < WIDTH * TOGETHER, lane / WIDTH, lane * 0 + (TOGETHER - 1));
    whole column = lane - group * WIDTH;  // idle lanes: beyond the last column
    truth idle = column >= WIDTH;
    column = picked(idle, column - WIDTH, column);
    whole mine = group + number;
    truth over = mine >= OFFSETS;
    o.live = picked(idle, real(0.0f), picked(over, real(0.0f), real(1.0f)));
    mine = picked(over, mine * 0, mine);
    whole down = mine / WIDTH, across = mine - down * WIDTH;
    whole other = column + across;
    other = picked(other >= WIDTH, other - WIDTH, other);
    o.first = placed(one, column);
    o.second = placed(two, down * PITCH + other);
    o.seam = HEIGHT - down;
    for (int a = 1; a <= REACH; a++) {
        whole left = column - a, right = column + a;
        o.has_left[a - 1] = picked(left < 0, real(0.0f), picked(other - a < 0, real(0.0f), real(1.0f)));
        o.has_right[a - 1] = picked(right >= WIDTH, real(0.0f), picked(other + a >= WIDTH, real(0.0f), real(1.0f)));
        o.left[a - 1] = group * WIDTH + picked(left < 0, left + WIDTH, left);
        o.right[a - 1] = group * WIDTH + picked(right >= WIDTH, right - WIDTH, right);
    }
    o.edge = real(1.0f - 8 * 1.1920929e-7f);
    if (same) o.edge = picked(mine == 0, real(-1.0f), o.edge);  // coincident pixels
    return o;
}

// The sum along a row of a window.
DEVICE real along(real x, const Offset& o) {
    real sum = x;
#pragma unroll
    for (int a = 0; a < REACH; a++) {
        real left = from_lane(x, o.left[a]), right = from_lane(x, o.right[a]);
#if CIRCULAR
        sum = sum + (left + right);
#else
        sum = sum + left * o.has_left[a];
        sum = sum + right * o.has_right[a];
#endif
    }
    return sum;
}

// 0 where the rows `row` - 1 and `row` do not meet.
DEVICE real link(int row, const Offset& o) {
    return picked(o.seam == row, real(0.0f), real(1.0f));
}

DEVICE real product(place first, place second) {
    real sum = real(0.0f);
#pragma unroll
    for (int c = 0; c < CHANNELS; c++)
        sum = sum + loaded(first, c * HEIGHT * PITCH) * loaded(second, c * 2 * HEIGHT * PITCH);
    return sum;
}

// Bias, tangent kernel and activation of a layer, on window sums.
DEVICE void finish(real& s, real& t, real scale, int layer, const Offset& o) {
#if ROWWISE
    constexpr float eta[DEPTH] = ETA, shift[DEPTH] = SHIFT;
#endif
#if BIASED
#if ROWWISE
    constexpr float bias[DEPTH] = BIAS, extra[DEPTH] = EXTRA;
#endif
    s = s + bias[layer];
    t = t + extra[layer];
#endif
    t = t + s * eta[layer];
    activate(s, t, scale, o.edge, shift[layer]);
}

#if ROWWISE
// Row after row goes through all layers. Zero padding only.
// A layer keeps sums of windows that are not complete, oldest first; row `in` goes into those of the rows around it.
DEVICE real passed(real (&open)[2 * REACH], real now, const real (&links)[REACH]) {
    real reaching[REACH];  // does it reach 1, 2, ... rows up?
    reaching[0] = links[0];
#pragma unroll
    for (int a = 1; a < REACH; a++) reaching[a] = reaching[a - 1] * links[a];
    real complete = open[0] + now * reaching[REACH - 1];
#pragma unroll
    for (int e = 0; e < 2 * REACH - 1; e++)
        open[e] = e < REACH - 1 ? open[e + 1] + now * reaching[e < REACH - 1 ? REACH - 2 - e : 0]
                                : open[e + 1] * links[0] + now;
    open[2 * REACH - 1] = now;
    return complete;
}

// One row enters, and each layer does what it completes. `inside`: every layer has a row to do.
template <bool inside>
DEVICE void ticked(int tick, place first, place second, real (&open)[DEPTH][2 * REACH],
                   real (&open_t)[DEPTH][2 * REACH], const Offset& o, real& sum, real& tangent) {
    real s = real(0.0f), t = real(0.0f);
    if (inside || tick < HEIGHT) s = product(first, second);
#pragma unroll
    for (int l = 0; l < DEPTH; l++) {
        int in = tick - l * REACH, out = in - REACH;  // the row that comes, the row that is complete
        if (inside || (in >= 0 && out < HEIGHT)) {
            real links[REACH];
#pragma unroll
            for (int a = 0; a < REACH; a++) links[a] = link(in - a, o);
            s = passed(open[l], along(s, o), links);
            if (l > 0) t = passed(open_t[l], along(t, o), links);
            if (inside || out >= 0) {
                real scale = loaded(first, ((CHANNELS + l) * HEIGHT - (l + 1) * REACH) * PITCH) *
                             loaded(second, ((CHANNELS + l) * 2 * HEIGHT - (l + 1) * REACH) * PITCH);
                finish(s, t, scale, l, o);
                if (l == DEPTH - 1) {
                    sum = sum + s;
                    tangent = tangent + t;
                }
            }
        } else {
            s = t = real(0.0f);
        }
    }
}

DEVICE void carried(const Offset& o, real& sum, real& tangent) {
    real open[DEPTH][2 * REACH], open_t[DEPTH][2 * REACH];
    place first = o.first, second = o.second;
    sum = tangent = real(0.0f);
#pragma unroll
    for (int l = 0; l < DEPTH; l++)
#pragma unroll
        for (int a = 0; a < 2 * REACH; a++) open[l][a] = open_t[l][a] = real(0.0f);
#pragma unroll 1
    for (int tick = 0; tick < HEIGHT + DEPTH * REACH; tick++) {
        if (tick >= DEPTH * REACH && tick < HEIGHT)
            ticked<true>(tick, first, second, open, open_t, o, sum, tangent);
        else
            ticked<false>(tick, first, second, open, open_t, o, sum, tangent);
        first = further(first, PITCH);
        second = further(second, PITCH);
    }
    sum = sum * o.live;
    tangent = tangent * o.live;
}
#else
// All rows stand in registers; layer after layer.
DEVICE void windows(real (&x)[HEIGHT], const Offset& o, const real (&links)[HEIGHT + 1]) {
    real above[REACH], head[REACH];  // what has been overwritten: the last rows, nearest first, and the first ones
#pragma unroll
    for (int r = 0; r < HEIGHT; r++) x[r] = along(x[r], o);
#pragma unroll
    for (int a = 0; a < REACH; a++) {
        above[a] = CIRCULAR ? x[HEIGHT - 1 - a] : real(0.0f);
        head[a] = CIRCULAR ? x[a] : real(0.0f);
    }
#pragma unroll
    for (int r = 0; r < HEIGHT; r++) {
        real here = x[r], up = real(0.0f), low = real(0.0f);
#pragma unroll
        for (int a = REACH; a >= 1; a--) {  // from the farthest row to the nearest
            int below = r + a < HEIGHT ? r + a : 0, begun = r + a < HEIGHT ? 0 : r + a - HEIGHT;
            real lower = r + a < HEIGHT ? x[below] : head[begun];
#if CIRCULAR
            up = up + above[a - 1];
            low = low + lower;
#else
            up = (up + above[a - 1]) * links[r - a + 1 > 0 ? r - a + 1 : 0];
            low = (low + lower) * links[r + a < HEIGHT ? r + a : HEIGHT];
#endif
        }
#pragma unroll
        for (int a = REACH - 1; a >= 1; a--) above[a] = above[a - 1];
        above[0] = here;
        x[r] = up + low + here;
    }
}

DEVICE void carried(const Offset& o, real& sum, real& tangent) {
    real s[HEIGHT], t[HEIGHT], links[HEIGHT + 1];
#pragma unroll
    for (int r = 0; r < HEIGHT; r++) {
        s[r] = product(further(o.first, r * PITCH), further(o.second, r * PITCH));
        t[r] = real(0.0f);
    }
    place first = further(o.first, CHANNELS * HEIGHT * PITCH);
    place second = further(o.second, CHANNELS * 2 * HEIGHT * PITCH);
#pragma unroll 1
    for (int l = 0; l < DEPTH; l++) {
#pragma unroll
        for (int r = 0; r <= HEIGHT; r++) links[r] = link(r, o);
        windows(s, o, links);
        windows(t, o, links);
#pragma unroll
        for (int r = 0; r < HEIGHT; r++)
            finish(s[r], t[r], loaded(first, r * PITCH) * loaded(second, r * PITCH), l, o);
        first = further(first, HEIGHT * PITCH);
        second = further(second, 2 * HEIGHT * PITCH);
    }
    sum = tangent = real(0.0f);
#pragma unroll
    for (int r = 0; r < HEIGHT; r++) {
        sum = sum + s[r];
        tangent = tangent + t[r];
    }
    sum = sum * o.live;
    tangent = tangent * o.live;
}
#endif

#ifndef EMULATED
// A block is a pair of images (first + y, begin + x), its warps share the offsets.
extern "C" __global__ void __launch_bounds__(32 * WARPS, BLOCKS)
fused(const float* __restrict__ tables1, const float* __restrict__ tables2, float* nngp, float* ntk, int first,
      int begin, int columns, int symmetric) {
    int i = first + blockIdx.y, j = begin + blockIdx.x;
    if (symmetric && j < i) return;
    const float* one = tables1 + (size_t)i * (TABLES * HEIGHT * PITCH);
    const float* two = tables2 + (size_t)j * (TABLES * 2 * HEIGHT * PITCH);
    double sum = 0, tangent = 0;
    __shared__ double sums[2 * WARPS];
    int warp = __shfl_sync(0xffffffffu, (int)threadIdx.x / 32, 0);  // the compiler shall know that all lanes agree
#pragma unroll 1
    for (int number = warp * TOGETHER; number < OFFSETS; number += WARPS * TOGETHER) {
        real s, t;
        carried(offset(one, two, number, symmetric && i == j), s, t);
        sum += s;
        tangent += t;
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
        tangent += __shfl_down_sync(0xffffffffu, tangent, step);
    }
    if (threadIdx.x % 32 == 0) {
        sums[warp] = sum;
        sums[WARPS + warp] = tangent;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        sum = tangent = 0;
        for (int w = 0; w < WARPS; w++) {
            sum += sums[w];
            tangent += sums[WARPS + w];
        }
        nngp[(size_t)i * columns + j] = (float)sum;
        ntk[(size_t)i * columns + j] = (float)tangent;
    }
}
#endif
