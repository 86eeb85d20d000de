// One entry of the table: PLATFORM names a file of platforms/ without its ending. No include guard:
// it is included once for each file.
{
    .name = TEXT(PLATFORM),
    .bytes = (const unsigned char[]){
#embed TEXT(FILE_OF(PLATFORM))
    },
    .length = sizeof((const unsigned char[]){
#embed TEXT(FILE_OF(PLATFORM))
    }),
},
#undef PLATFORM
