//! Text with a fixed seed: words of one list, common ones more often, so that codecs find in it what they find in
//! real text. The same bytes in every run.

const WORDS: &str = "the of and to in is that for it was as with be by on not he his but at are this have from or had \
    an they which one you were all her she there would their we him been has when who will no more if out so up said \
    what its about than into them can only other time new some could these two may first then do any like my now over \
    such our man me even most made after also did many off before must well back through years much where your way \
    down should because long each just state those people how too good make world still own see work between life \
    being under three never same another know while last might us great year since come against go came right used \
    take house use during without again place around however home small found thought went say part once general high \
    upon school every think does war got united left number course until always away something fact water though public \
    put less night far end give government order payment customer shipment warehouse invoice account balance currency \
    session request response latency error warning retry timeout connection broker partition offset consumer producer \
    sensor temperature pressure humidity reading device firmware region cluster replica leader follower snapshot";

/// Turns of phrase that the text is made of.
const PHRASES: usize = 512;

/// Gives one value after the other.
pub struct Text {
    random: Random,
    phrases: Vec<String>,
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize % bound
    }

    /// An index below `bound`, small ones more often, as the ranks of words in a language.
    fn rank(&mut self, bound: usize) -> usize {
        self.below(bound) * self.below(bound) / bound
    }
}

impl Text {
    pub fn new() -> Self {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let phrases = (0..PHRASES).map(|_| {
            let length = 1 + random.below(5);
            (0..length).map(|_| words[random.rank(words.len())].to_string() + " ").collect()
        });
        let phrases = phrases.collect();
        Self { random, phrases }
    }

    /// The next value, of exactly `length` bytes.
    pub fn value(&mut self, length: usize) -> Vec<u8> {
        let mut value = Vec::with_capacity(length + 64);
        while value.len() < length {
            value.extend(self.phrases[self.random.rank(PHRASES)].as_bytes());
            if self.random.below(16) == 0 {
                value.extend(format!("{} ", self.random.below(100_000)).as_bytes());
            }
        }
        value.truncate(length);
        value
    }
}
