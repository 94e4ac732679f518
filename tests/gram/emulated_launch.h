// The loop over pairs and offsets that a launch is on a GPU.

extern "C" void fused(const float* tables1, const float* tables2, float* nngp, float* ntk, int first, int begin,
                      int columns, int symmetric, int width, int rows) {
    for (int i = first; i < first + rows; i++)
        for (int j = begin; j < begin + width; j++) {
            if (symmetric && j < i) continue;
            double sum = 0, tangent = 0;
            for (int number = 0; number < OFFSETS; number += TOGETHER) {
                real s, t;
                carried(offset(tables1 + i * (TABLES * HEIGHT * PITCH), tables2 + j * (TABLES * 2 * HEIGHT * PITCH),
                               number, symmetric && i == j), s, t);
                EACH sum += s.v[k];
                EACH tangent += t.v[k];
            }
            nngp[i * columns + j] = (float)sum;
            ntk[i * columns + j] = (float)tangent;
        }
}
