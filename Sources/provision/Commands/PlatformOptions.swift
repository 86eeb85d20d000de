import ArgumentParser

/// Which board, and where its description is looked for.
struct PlatformOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "The board: a name that `provision platforms` lists. Default: what USB tells.",
        completion: .shellCommand("provision platforms --names"))
    var platform: String?

    @OptionGroup var places: CatalogueOptions

    var packagePath: String { places.packagePath }
}
