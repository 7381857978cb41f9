package wire;

/** Kafka's version ranges: "3", "3+", "3-5", "none". */
final class Versions {
  private Versions() {}

  static boolean contains(String range, int version) {
    if (range.equals("none")) return false;
    return version >= first(range) && version <= last(range);
  }

  static int first(String range) {
    return Integer.parseInt(range.split("[-+]")[0]);
  }

  static int last(String range) {
    if (range.endsWith("+")) return Integer.MAX_VALUE;
    String[] ends = range.split("-");
    return Integer.parseInt(ends[ends.length - 1]);
  }
}
