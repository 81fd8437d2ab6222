// Names that headers of Linux, macOS, Windows, X11 and curses define as macros. A program may have included
// them before ours, so no public header uses one of these as a name of its own. What is left out are macros
// of curses that it has in C alone, such as move and erase.
#pragma once

// Apple
#define check(x) (x)
#define verify(x) (x)
#define require(x, y) (x)
#define nil 0
#define YES 1
#define NO 0
#define TRUE 1
#define FALSE 0
#define BOOL int
#define DEBUG 1
#define PAGE_SIZE 4096

// Windows
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define near
#define far
#define small char
#define hyper long
#define interface struct
#define ERROR 0
#define DELETE 0
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define THIS
#define PURE 0
#define STRICT 1
#define ABSOLUTE 1
#define RELATIVE 2
#define OPAQUE 2
#define TRANSPARENT 1
#define DIFFERENCE 11
#define NO_ERROR 0
#define GetObject GetObjectA
#define GetMessage GetMessageA
#define CreateFile CreateFileA
#define LoadImage LoadImageA
#define DrawText DrawTextA
#define SendMessage SendMessageA
#define Yield()
#define RGB(r, g, b) 0
#define IGNORE 0
#define pascal
#define cdecl
#define TEXT(x) x

// C library and mathematics
#define DOMAIN 1
#define OVERFLOW 3
#define UNDERFLOW 4
#define HUGE 1e300
#define I (__extension__ 1.0iF)
#define complex _Complex
#define PI 3.14
#define SIGN 1

// Linux and BSD
#define major(d) 0
#define minor(d) 0
#define makedev(a, b) 0
#define unix 1
#define linux 1
#define sa_handler __sa
#define st_atime st_atim.tv_sec
#define si_value _si
#define BLOCK_SIZE 1024
#define environ _environ

// X11
#define None 0L
#define Status int
#define Success 0
#define Bool int
#define True 1
#define False 0
#define Always 2
#define Never 0
#define Above 0
#define Below 1
#define Unsorted 0
#define YSorted 1
#define Complex 0
#define Nonconvex 1
#define Convex 2
#define CursorShape 0
#define KeyPress 2
#define KeyRelease 3
#define FocusIn 9
#define FocusOut 10
#define Expose 12
#define Button1 1
#define GrayScale 1
#define StaticGray 0
#define Opposite 4
#define LineSolid 0

// curses, in C++
#define OK 0
#define ERR (-1)
