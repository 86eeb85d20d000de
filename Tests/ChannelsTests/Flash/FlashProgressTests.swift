import Channels
import Testing

@Suite struct FlashProgressTests {
    /// The numbers are an adapter's, and may be any.
    @Test(
        arguments: [
            (0, 100, 0), (50, 100, 50), (100, 100, 100), (101, 100, 100), (-1, 100, 0), (1, 0, 100),
            (.max, .max, 100), (.max / 2 + 1, .max, 50), (.min, .max, 0), (.max, 1, 100),
        ] as [(Int, Int, Int)])
    func aPercentageIsOne(_ done: Int, _ total: Int, _ percentage: Int) {
        #expect(FlashProgress.percentage(done, of: total) == percentage)
    }
}
